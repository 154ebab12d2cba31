// Runs `byol …` for npm's scripts, in the folder where npm was called.
if (process.env.INIT_CWD) process.chdir(process.env.INIT_CWD);
await import(new URL("../packages/byol/bin/byol.js", import.meta.url).href);
