// Makes sure that the tests find software WebGPU adapters: Mesa's llvmpipe and Chromium's SwiftShader, and the
// Chromium that the browser tests start. Installs what is missing where it may (Debian, as root), and otherwise says
// what to install.
//
//   node scripts/adapter.mjs            install what is missing; fails when Dawn then finds no adapter at all
//   node scripts/adapter.mjs --all      fails when any of the three is missing
//   node scripts/adapter.mjs --check    installs nothing
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const unknown = process.argv.slice(2).filter((arg) => arg !== "--check" && arg !== "--all");
if (unknown.length > 0) fail(`unknown argument ${unknown.join(" ")}; there are --check and --all`);
const mayInstall = !process.argv.includes("--check");
const wantAll = process.argv.includes("--all");

process.env.XDG_RUNTIME_DIR ??= tmpdir(); // Mesa warns where it is unset.

let state = look();
if (state.missing.length > 0 && mayInstall && isDebian() && process.getuid?.() === 0) {
  install(state.missing);
  state = look();
}
report(state);

/** @typedef {{ found: string[], missing: ("llvmpipe" | "SwiftShader" | "Chromium")[] }} State */

/** What Dawn itself opens, not what the package database says. @returns {State} */
function look() {
  if (process.platform !== "linux") {
    const name = probe(undefined);
    return { found: name ? [name] : [], missing: [] };
  }
  const llvmpipe = probe(driverFile("/usr/share/vulkan/icd.d", /^lvp_icd.*\.json$/), /llvmpipe/i);
  const swiftShader = probe(driverFile("/usr/lib/chromium", /^vk_swiftshader_icd\.json$/), /swiftshader/i);
  const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
    existsSync,
  );
  /** @type {State} */
  const state = { found: [], missing: [] };
  for (const [name, got] of /** @type {const} */ ([
    ["llvmpipe", llvmpipe],
    ["SwiftShader", swiftShader],
    ["Chromium", chromium],
  ])) {
    if (got) state.found.push(got);
    else state.missing.push(name);
  }
  if (!llvmpipe && !swiftShader) {
    const hardware = probe(undefined);
    if (hardware) state.found.push(hardware);
  }
  return state;
}

/** @returns {string | null} null where there is no such file, and then there is nothing to probe */
function driverFile(folder, pattern) {
  const name = existsSync(folder) ? readdirSync(folder).find((file) => pattern.test(file)) : undefined;
  return name ? join(folder, name) : null;
}

/**
 * The name of the adapter that Dawn opens with this Vulkan driver file (undefined: with whatever is there), where it
 * is the one meant. In a process of its own: the Vulkan loader reads its environment once, and a broken driver may
 * take the process along.
 */
function probe(driver, meant = /./) {
  if (driver === null) return undefined;
  const program = `
    const { create } = await import("webgpu");
    const adapter = await create([]).requestAdapter();
    if (!adapter) process.exit(3);
    const { description, device } = adapter.info;
    process.stdout.write(description || device || "unnamed adapter");
    process.exit(0);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: fileURLToPath(new URL("../packages/tensor/", import.meta.url)),
    env: { ...process.env, ...(driver && { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver }) },
    encoding: "utf8",
    timeout: 60_000,
  });
  if (stderr.includes("ERR_MODULE_NOT_FOUND")) fail("the package webgpu is not installed; run npm ci first");
  return status === 0 && meant.test(stdout) ? stdout : undefined;
}

function osRelease() {
  const text = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  return Object.fromEntries(
    [...text.matchAll(/^(\w+)="?([^"\n]*)"?$/gm)].map(([, key, value]) => [key, value]),
  );
}

function isDebian() {
  return osRelease().ID === "debian" && existsSync("/usr/bin/apt-get");
}

function install(missing) {
  console.log(`adapter: installing ${missing.join(", ")}`);
  const fromBackports = osRelease().VERSION_CODENAME === "bookworm";
  if (missing.includes("llvmpipe") && fromBackports) addBackports();
  // Other sources of this machine may be out of reach; whether the packages come is decided below.
  apt(["update"]);
  if (missing.includes("llvmpipe")) {
    // Dawn refuses the Mesa 22.3 of Debian 12 itself.
    const release = fromBackports ? ["-t", "bookworm-backports"] : [];
    if (!apt(["install", ...release, "mesa-vulkan-drivers", "libvulkan1"]))
      fail("apt could not install Mesa");
  }
  if (missing.includes("SwiftShader") || missing.includes("Chromium")) {
    // SwiftShader's driver file is part of chromium-common.
    if (!apt(["install", "libvulkan1", "chromium-common", "chromium"]))
      fail("apt could not install Chromium");
  }
}

function addBackports() {
  const format = "$(REPO_URI)|$(RELEASE)";
  const { stdout } = spawnSync("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], {
    encoding: "utf8",
  });
  const sources = (stdout ?? "").split("\n").map((line) => line.split("|"));
  if (sources.some(([, release]) => release === "bookworm-backports")) return;
  const mirror = sources.find(([, release]) => release === "bookworm")?.[0];
  if (!mirror) fail("apt knows no source for Debian bookworm, so there is no mirror to take backports from");
  const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
  const signed = existsSync(keys) ? `[signed-by=${keys}] ` : "";
  const file = "/etc/apt/sources.list.d/bookworm-backports.list";
  writeFileSync(file, `deb ${signed}${mirror} bookworm-backports main\n`);
  console.log(`adapter: wrote ${file} (${mirror})`);
}

function apt(args) {
  const { status } = spawnSync(
    "apt-get",
    [
      "-qq",
      "-y",
      "-o",
      "Acquire::Retries=3",
      "-o",
      "DPkg::Lock::Timeout=300",
      ...args,
      ...noRecommends(args),
    ],
    { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } },
  );
  return status === 0;
}

function noRecommends(args) {
  return args[0] === "install" ? ["--no-install-recommends"] : [];
}

/** @param {State} state */
function report({ found, missing }) {
  for (const name of found) console.log(`adapter: found ${name}`);
  if (missing.length > 0) console.error(`adapter: missing ${missing.join(", ")}\n${instructions()}`);
  const adapters = found.filter((name) => !name.startsWith("/"));
  if (adapters.length === 0)
    fail("Dawn finds no WebGPU adapter, so the tests of the WebGPU device cannot run");
  if (wantAll && missing.length > 0) fail(`--all was asked for, and ${missing.join(", ")} is missing`);
}

function instructions() {
  if (isDebian() && osRelease().VERSION_CODENAME === "bookworm") {
    return [
      "  Run this script as root, or, with bookworm-backports among apt's sources:",
      "    apt-get install -t bookworm-backports mesa-vulkan-drivers libvulkan1",
      "    apt-get install chromium-common chromium",
    ].join("\n");
  }
  return [
    "  llvmpipe: Mesa 24 or newer with its Vulkan drivers, and the Vulkan loader",
    "    (Debian, Ubuntu: mesa-vulkan-drivers libvulkan1; Fedora: mesa-vulkan-drivers vulkan-loader)",
    "  SwiftShader: expected as /usr/lib/chromium/vk_swiftshader_icd.json (Debian: chromium-common)",
    "  Chromium: expected as /usr/bin/chromium",
  ].join("\n");
}

function fail(message) {
  console.error(`adapter: ${message}`);
  process.exit(1);
}
