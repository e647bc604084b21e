import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { installedByHand, remedyFor, takeLock, wantedStamp } from "./bootstrap/install.mjs";
import { findOnPath, installCommand } from "./bootstrap/tools.mjs";

const SCRIPTS = import.meta.dirname;
const WAIT_MS_MAX = 20_000;
const trees = [];
after(() => {
  for (const tree of trees) rmSync(tree, { recursive: true, force: true });
});

const PROGRAM = `
import { appendFileSync } from "node:fs";
const say = (line) => appendFileSync(process.env.SAID, line + "\\n");
if (process.argv[3] === "exit") { console.log(process.argv.slice(2).join(" ")); process.exit(7); }
const alive = setInterval(() => {}, 1000);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => { say(signal); if (process.argv[3] !== "stubborn") clearInterval(alive); });
say("pid " + process.pid);
`;

/** What npm would do, and a note that it did. */
const NPM = `#!/bin/sh
echo ran >> "$SAID"
sleep 0.3
mkdir -p node_modules/node/bin
ln -s "$REAL_NODE" node_modules/node/bin/node
`;

/** A tree that can be started: the real bootstrap, a stand-in for npm, and a product that only waits. */
function plant({ npm = NPM, installed = true } = {}) {
  const root = mkdtempSync(path.join(tmpdir(), "marquee-bootstrap-test-"));
  trees.push(root);
  cpSync(path.join(SCRIPTS, "bootstrap.mjs"), path.join(root, "scripts/bootstrap.mjs"));
  cpSync(path.join(SCRIPTS, "bootstrap"), path.join(root, "scripts/bootstrap"), { recursive: true });
  cpSync(path.join(SCRIPTS, "../marquee"), path.join(root, "marquee"));
  put(root, "package.json", '{ "type": "module" }');
  put(root, "package-lock.json", '{ "packages": { "": {}, "node_modules/node": { "integrity": "x" } } }');
  put(root, "apps/marquee.ts", PROGRAM);
  put(root, "bin/npm", npm);
  chmodSync(path.join(root, "bin/npm"), 0o755);
  // So that no test installs a program on this machine.
  put(root, "bin/ffmpeg", "#!/bin/sh\n");
  chmodSync(path.join(root, "bin/ffmpeg"), 0o755);
  if (installed) {
    mkdirSync(path.join(root, "node_modules/node/bin"), { recursive: true });
    symlinkSync(process.execPath, path.join(root, "node_modules/node/bin/node"));
    put(root, "node_modules/.marquee-lock", wantedStamp(root));
  }
  return root;
}

function put(root, file, text) {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
}

/** Starts a command in a tree; `ended` gives its code, its signal and what it printed. */
function start(root, args, command = process.execPath) {
  const env = {
    PATH: `${path.join(root, "bin")}:${path.dirname(process.execPath)}:/usr/bin:/bin`,
    SAID: path.join(root, "said"),
    REAL_NODE: process.execPath,
  };
  const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal, output })));
  return { child, ended };
}

const said = (root) => (existsSync(path.join(root, "said")) ? readFileSync(path.join(root, "said"), "utf8") : "");

async function until(what, condition) {
  const deadlineMs = Date.now() + WAIT_MS_MAX;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new Error(`waited in vain until ${what}`);
    await delay(20);
  }
}

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0) && !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
};

async function started(root, args) {
  const run = start(root, ["scripts/bootstrap.mjs", ...args]);
  await until("the product runs", () => said(root).includes("pid "));
  return { ...run, pid: Number(said(root).match(/pid (\d+)/)?.[1]) };
}

describe("handing over", () => {
  test("passes on arguments and the exit code", async () => {
    const { code, output } = await start(plant(), ["scripts/bootstrap.mjs", "start", "exit", "a b"]).ended;
    assert.deepEqual({ code, output }, { code: 7, output: "start exit a b\n" });
  });

  test("./marquee does the same, also through a link and as `node marquee`", async () => {
    const root = plant();
    symlinkSync(path.join(root, "marquee"), path.join(root, "bin/mq"));
    const ways = [
      [[], path.join(root, "marquee")],
      [[], path.join(root, "bin/mq")],
      [["marquee"], process.execPath],
    ];
    for (const [before, command] of ways) {
      const { code, output } = await start(root, [...before, "titles", "exit"], command).ended;
      assert.deepEqual({ code, output }, { code: 7, output: "titles exit\n" });
    }
  });

  test("an unknown command names the known ones", async () => {
    const { code, output } = await start(plant(), ["scripts/bootstrap.mjs", "begin"]).ended;
    assert.equal(code, 1);
    assert.match(output, /'begin' is not a command\n.*start, test, check/);
  });
});

describe("signals", () => {
  test("one is passed on once, though npm and the terminal both send it, and the program ends by itself", async () => {
    const root = plant();
    const { child, ended } = await started(root, ["start"]);
    child.kill("SIGINT");
    child.kill("SIGINT");
    assert.equal((await ended).code, 0);
    assert.equal(said(root).match(/SIGINT/g)?.length, 1);
  });

  test("a second one kills a program that does not stop", async () => {
    const root = plant();
    const { child, ended, pid } = await started(root, ["start", "stubborn"]);
    child.kill("SIGTERM");
    await until("the program heard it", () => said(root).includes("SIGTERM"));
    await delay(900);
    child.kill("SIGTERM");
    assert.equal((await ended).code, 137);
    assert.ok(!isAlive(pid));
  });

  test("kill -9 of the bootstrap stops the program, too", async () => {
    const root = plant();
    const { child, pid } = await started(root, ["start"]);
    child.kill("SIGKILL");
    await until("the program is gone", () => !isAlive(pid));
    assert.match(said(root), /SIGTERM/);
  });
});

describe("installing", () => {
  test("two commands at once install once, and a third not at all", async () => {
    const root = plant({ installed: false });
    const both = await Promise.all([1, 2].map(() => start(root, ["scripts/bootstrap.mjs", "start", "exit"]).ended));
    for (const { code, output } of both) assert.equal(code, 7, output);
    assert.equal(both.filter(({ output }) => output.includes("first start: npm ci")).length, 1);
    await start(root, ["scripts/bootstrap.mjs", "start", "exit"]).ended;
    assert.equal(said(root), "ran\n");
    assert.equal(readlinkSync(path.join(root, "node_modules/node/bin/node")), process.execPath);
  });

  test("a changed lock file installs again", async () => {
    const root = plant();
    put(root, "package-lock.json", '{ "packages": {}, "changed": true }');
    put(root, "bin/npm", NPM.replace("ln -s", "ln -sf"));
    chmodSync(path.join(root, "bin/npm"), 0o755);
    const { code, output } = await start(root, ["scripts/bootstrap.mjs", "start", "exit"]).ended;
    assert.equal(code, 7, output);
    assert.match(output, /package-lock\.json has changed: npm ci/);
    assert.equal(said(root), "ran\n");
  });

  test("without a network it says what failed and what to do, and the next try is not in its way", async () => {
    const root = plant({ installed: false, npm: "#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\nexit 1\n" });
    const { code, output } = await start(root, ["scripts/bootstrap.mjs", "start"]).ended;
    assert.equal(code, 1);
    assert.match(output, /npm ci failed:\n {2}npm error code ENOTFOUND\n.*go online/s);
    assert.ok(!existsSync(path.join(root, ".cache/bootstrap.lock")));
  });

  test("what somebody installed by hand is taken as it is, unless it differs", () => {
    const root = plant();
    const lock = {
      packages: { "": {}, "node_modules/a": { integrity: "1" }, "node_modules/b": { integrity: "2", optional: true } },
    };
    put(root, "package-lock.json", JSON.stringify(lock));
    const present = (packages) => put(root, "node_modules/.package-lock.json", JSON.stringify({ packages }));
    present({ "node_modules/a": { integrity: "1" } });
    assert.equal(installedByHand(root), true);
    present({ "node_modules/a": { integrity: "other" } });
    assert.equal(installedByHand(root), false);
    present({ "node_modules/b": { integrity: "2" } });
    assert.equal(installedByHand(root), false);
  });

  test("the lock of a killed process does not last, that of a living one does", async () => {
    const file = path.join(plant(), ".cache/bootstrap.lock");
    const dead = spawn(process.execPath, ["-e", ""]);
    await new Promise((resolve) => dead.once("exit", resolve));
    put(path.dirname(file), "bootstrap.lock", String(dead.pid));
    const release = await takeLock(file);
    assert.equal(readFileSync(file, "utf8"), String(process.pid));
    await assert.rejects(takeLock(file, { timeoutMs: 30, pollMs: 10 }), /has held .* for too long/);
    release();
    assert.ok(!existsSync(file));
  });

  test("each failure of npm has its own remedy", () => {
    assert.match(remedyFor("npm error code EAI_AGAIN"), /go online/);
    assert.match(remedyFor("npm error code ENOSPC"), /disk is full/);
    assert.match(remedyFor("npm error code EACCES"), /may not write/);
    assert.match(remedyFor("npm error code EUSAGE"), /npm install/);
    assert.match(remedyFor("something else"), /delete node_modules/);
  });
});

describe("programs that are not on npm", () => {
  const on = (platform, distro, programs, isRoot = false) => ({
    platform,
    distro,
    isRoot,
    has: (name) => programs.includes(name),
  });
  const systems = [
    ["macOS", on("darwin", [], []), "brew install ffmpeg", "brew install --cask google-chrome"],
    ["Windows", on("win32", [], []), "winget install Gyan.FFmpeg", "winget install Google.Chrome"],
    [
      "Debian",
      on("linux", ["debian"], ["apt-get"]),
      "sudo apt-get update && sudo apt-get install -y ffmpeg",
      "sudo apt-get update && sudo apt-get install -y chromium",
    ],
    [
      "Debian as root",
      on("linux", ["debian"], ["apt-get"], true),
      "apt-get update && apt-get install -y ffmpeg",
      "apt-get update && apt-get install -y chromium",
    ],
    [
      "Ubuntu",
      on("linux", ["ubuntu", "debian"], ["apt-get"]),
      "sudo apt-get update && sudo apt-get install -y ffmpeg",
      undefined,
    ],
    ["Fedora", on("linux", ["fedora"], ["dnf"]), "sudo dnf install -y ffmpeg-free", "sudo dnf install -y chromium"],
    [
      "Arch",
      on("linux", ["arch"], ["pacman"]),
      "sudo pacman -S --noconfirm ffmpeg",
      "sudo pacman -S --noconfirm chromium",
    ],
    ["something unknown", on("linux", [], []), undefined, undefined],
  ];
  for (const [name, system, ffmpeg, chromium] of systems) {
    test(String(name), () => {
      assert.equal(installCommand("ffmpeg", system), ffmpeg);
      assert.equal(installCommand("chromium", system), chromium);
    });
  }

  test("a program is found on PATH only if it can be run", () => {
    const root = plant();
    put(root, "bin/notes", "text");
    const env = { PATH: path.join(root, "bin") };
    assert.equal(findOnPath("npm", env), path.join(root, "bin/npm"));
    assert.equal(findOnPath("notes", env), undefined);
  });
});
