/** The contenders' processes on one device: started when first needed, replaced when they die or the group changes. */
import type { ContenderSpec } from "./contenders/list.js";
import { Child, Failed } from "./process.js";
import type { Opened } from "./protocol.js";

const OPEN_MS = 60_000;

/** A cold start is a cold start only without the driver's cache of compiled shaders; llvmpipe's threads are all contenders'. */
const environment = (threads: number) => ({
  MESA_SHADER_CACHE_DISABLE: "true",
  LP_NUM_THREADS: String(threads),
  NODE_NO_WARNINGS: "1",
});

export class Member {
  opened: Opened | undefined;
  private child: Child | undefined;

  constructor(
    readonly spec: ContenderSpec,
    private readonly threads: number,
  ) {}

  /** A living process with the library loaded. */
  async ready(): Promise<Child> {
    if (this.child?.alive) return this.child;
    this.child = new Child(this.spec.command, { ...environment(this.threads), ...this.spec.env });
    try {
      this.opened = await this.child.ask(
        { do: "open", device: this.spec.device, threads: this.threads },
        OPEN_MS,
      );
    } catch (error) {
      this.stop();
      throw new Failed(`does not open: ${(error as Error).message}`, true);
    }
    return this.child;
  }

  stop(): void {
    this.child?.kill();
    this.child = undefined;
  }
}

export class Team {
  readonly members: readonly Member[];
  private group: string | undefined;

  constructor(specs: readonly ContenderSpec[], threads: number) {
    this.members = specs.map((spec) => new Member(spec, threads));
  }

  /** Cases of a group share processes; the next group starts with fresh ones. */
  enter(group: string): void {
    if (this.group !== group) this.stop();
    this.group = group;
  }

  stop(): void {
    for (const member of this.members) member.stop();
  }
}
