import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Decoder } from "./decoder.js";
import { DecodingThread } from "./decoding-thread.js";
import { imageFileBytes } from "./limits.js";

const format = { stored: 8, channels: 3, background: [0, 0, 0] } as const;
let root: string;
let decoder: Decoder;
const path = (name: string) => join(root, name);
const picture = () => sharp({ create: { width: 16, height: 12, channels: 3, background: "#804020" } });

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "decoder-test-"));
  decoder = new Decoder(format, 1);
});
afterAll(async () => {
  await decoder.close();
  await rm(root, { recursive: true, force: true });
});

/** Why an image is refused, to whoever decodes it and to whoever asks for its size. */
async function refusal(file: string | Uint8Array): Promise<string> {
  const answers = [await decoder.decode(file), await decoder.measure(file)];
  const [decoded, measured] = answers.map((answer) => ("reason" in answer ? answer.reason : "decoded"));
  expect(measured).toBe(decoded);
  return decoded!;
}

/** A JPEG whose frame, which begins with the marker 0xff `frame`, says another size. */
function withSize(jpeg: Buffer, frame: number, width: number, height: number): Buffer {
  const at = jpeg.indexOf(Buffer.of(0xff, frame));
  jpeg.writeUInt16BE(height, at + 5);
  jpeg.writeUInt16BE(width, at + 7);
  return jpeg;
}

describe("Decoder", () => {
  it("reads regular files, also through links", async () => {
    await writeFile(path("sound.png"), await picture().png().toBuffer());
    await symlink(path("sound.png"), path("link.png"));
    const fetched = await decoder.decode(path("link.png"));
    expect("pixels" in fetched && [...fetched.pixels.subarray(0, 3)]).toEqual([0x80, 0x40, 0x20]);
    expect(await decoder.measure(path("link.png"))).toEqual({ size: [12, 16] });
  });

  it("refuses what is no regular file, without waiting for it", async () => {
    execFileSync("mkfifo", [path("fifo.jpg")]);
    await symlink(path("fifo.jpg"), path("to-fifo.jpg"));
    await symlink("/dev/zero", path("to-device.jpg"));
    await symlink(root, path("to-folder.jpg"));
    await symlink(path("nowhere"), path("dangling.jpg"));
    await symlink(path("loop.jpg"), path("loop.jpg"));
    const server = createServer().listen(path("socket.jpg"));
    await once(server, "listening");
    const reasons = {
      "fifo.jpg": "it is a FIFO, not a regular file",
      "to-fifo.jpg": "it is a FIFO, not a regular file",
      "to-device.jpg": "it is a device, not a regular file",
      "to-folder.jpg": "it is a folder, not a regular file",
      "socket.jpg": "it is a socket, not a regular file",
      "dangling.jpg": "it does not exist",
      "loop.jpg": "it is a link that leads back to itself",
    };
    for (const [name, reason] of Object.entries(reasons))
      expect(await refusal(path(name)), name).toBe(reason);
    server.close();
  });

  it("decodes JPEG, PNG and WebP, whatever their names, and no other format", async () => {
    for (const kind of ["jpeg", "png", "webp"] as const) {
      await writeFile(path(`other.${kind === "png" ? "jpg" : "png"}`), await picture()[kind]().toBuffer());
      expect(await decoder.measure(path(`other.${kind === "png" ? "jpg" : "png"}`))).toHaveProperty("size");
    }
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><rect width="9" height="9"/></svg>`;
    const foreign = {
      svg: Buffer.from(svg),
      "svg with a declaration": Buffer.from(`<?xml version="1.0"?>${svg}`),
      pdf: Buffer.from("%PDF-1.4\n1 0 obj\n"),
      gif: await picture().gif().toBuffer(),
      tiff: await picture().tiff().toBuffer(),
      avif: await picture().avif({ effort: 0 }).toBuffer(),
      "sound in RIFF": Buffer.from("RIFF\x24\0\0\0WAVEfmt "),
      ppm: Buffer.from("P6 1 1 255\nabc"),
    };
    for (const [name, bytes] of Object.entries(foreign))
      expect(await refusal(bytes), name).toBe("it is no JPEG, PNG or WebP");
    expect(await refusal(new Uint8Array(0))).toBe("it is empty");
  });

  it("refuses too many bytes or pixels before it takes memory for them", async () => {
    await writeFile(path("long.png"), "");
    await truncate(path("long.png"), imageFileBytes + 1);
    expect(await refusal(path("long.png"))).toBe(
      "it has 268435457 bytes, more than the 268435456 that are read",
    );
    const vast = withSize(await picture().jpeg().toBuffer(), 0xc0, 10_001, 10_000);
    expect(await refusal(vast)).toBe("its 10001×10000 pixels are more than the 100000000 that are decoded");
  });

  it("refuses an image for which all of the decoders' memory is too little", async () => {
    const jpeg = withSize(await picture().jpeg({ progressive: true }).toBuffer(), 0xc2, 9_000, 10_000);
    expect(await decoder.measure(jpeg)).toEqual({ size: [10_000, 9_000] });
    expect(await decoder.decode(jpeg)).toEqual({
      reason: "to decode it takes 540000000 bytes, more than the 536870912 of all decoders",
    });
  });

  it("decodes an image that waits for its part of the memory as any other", async () => {
    const side = 4_000;
    const large = await sharp({ create: { width: side, height: side, channels: 3, background: "#804020" } })
      .png({ progressive: true, compressionLevel: 1 })
      .toBuffer();
    const fetched = await decoder.decode(large);
    expect("pixels" in fetched && [...fetched.pixels.subarray(0, 3)]).toEqual([0x80, 0x40, 0x20]);
  });
});

describe("a decoding thread", () => {
  const program = (text: string) => new URL(`data:text/javascript,${encodeURIComponent(text)}`);
  const idle = "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => {";

  it.each([
    ["ends without an error", `${idle} process.exit(0); });`, "the decoder ended"],
    ["ends at its start", "process.exit(0);", "the decoder ended"],
    ["throws", `${idle} throw new Error("torn"); });`, "the decoder failed: torn"],
    ["never answers", `${idle} });`, "it was not decoded within 0.5 seconds"],
    ["never returns", `${idle} for (;;); });`, "it was not decoded within 0.5 seconds"],
  ])("that %s costs its image and is replaced", async (_, text, reason) => {
    let started = 0;
    const limit = text.includes("exit") || text.includes("throw") ? 60 : 0.5;
    const threads = () => (started++ === 0 ? new DecodingThread(program(text), limit) : new DecodingThread());
    const pool = new Decoder(format, 1, threads);
    const png = await picture().png().toBuffer();
    const [first, second] = await Promise.all([pool.decode(png), pool.decode(png)]);
    expect(first).toEqual({ reason });
    expect(second).toHaveProperty("pixels");
    expect(started).toBe(2);
    await pool.close();
  });

  it("is not waited for after close()", async () => {
    const pool = new Decoder(format, 1, () => new DecodingThread(program(`${idle} });`)));
    const waiting = [pool.decode(new Uint8Array(1)), pool.decode(new Uint8Array(1))];
    await pool.close();
    expect(await Promise.all(waiting)).toEqual(Array(2).fill({ reason: "the decoder ended" }));
  });
});
