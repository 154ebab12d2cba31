/** The main program of a benchmark: what goes wrong is told in a line after its name, and is its exit code. */
export function script(name: string, main: () => Promise<void>): void {
  main().catch((error: Error) => {
    console.error(`${name}: ${error.message}`);
    process.exit(1);
  });
}
