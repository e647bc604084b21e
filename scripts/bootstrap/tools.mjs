import { accessSync, constants, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { Stop, runQuietly, say } from "./progress.mjs";

const APT_TIMEOUT_MS = 10 * 60_000;

/**
 * Programs that are not on npm: how to find each, and what each package manager calls it. An environment variable
 * names another place.
 */
const TOOLS = {
  ffmpeg: {
    variable: "FFMPEG_PATH",
    names: ["ffmpeg"],
    why: "it encodes films",
    without: "What is already encoded plays; new films cannot be encoded.",
    apt: { debian: "ffmpeg", ubuntu: "ffmpeg" },
    dnf: "ffmpeg-free",
    pacman: "ffmpeg",
    zypper: "ffmpeg",
    apk: "ffmpeg",
    brew: "ffmpeg",
    winget: "Gyan.FFmpeg",
  },
  chromium: {
    variable: "CHROMIUM_PATH",
    names: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"],
    elsewhere: ["/usr/bin/chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"],
    why: "the browser tests drive it",
    without: "Tests in a browser cannot run.",
    // Ubuntu's package is a door to a snap, which does not run in containers: there a Chrome of one's own is needed.
    apt: { debian: "chromium" },
    dnf: "chromium",
    pacman: "chromium",
    zypper: "chromium",
    apk: "chromium",
    brew: "--cask google-chrome",
    winget: "Google.Chrome",
  },
  xmllint: {
    variable: "XMLLINT_PATH",
    names: ["xmllint"],
    why: "it validates CPIX documents against their schema",
    without: "Those tests are skipped.",
    apt: { debian: "libxml2-utils", ubuntu: "libxml2-utils" },
    dnf: "libxml2",
    pacman: "libxml2",
    zypper: "libxml2-tools",
    apk: "libxml2-utils",
    brew: "libxml2",
  },
};

/** @param {string} file */
function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * Where a program is, or undefined.
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
export function findOnPath(name, env = process.env) {
  const endings = process.platform === "win32" ? (env.PATHEXT ?? ".EXE;.CMD").split(";") : [""];
  for (const folder of (env.PATH ?? env.Path ?? "").split(path.delimiter)) {
    if (folder === "") continue;
    for (const ending of endings) {
      const file = path.join(folder, name + ending);
      if (isProgram(file)) return file;
    }
  }
  return undefined;
}

/** @param {"ffmpeg" | "chromium" | "xmllint"} tool */
export function findTool(tool, env = process.env) {
  const { variable, names, elsewhere = [] } = TOOLS[tool];
  const named = env[variable];
  if (named) {
    if (isProgram(named)) return named;
    throw new Stop(`${variable} is '${named}', which is not a program`, `Point ${variable} at ${tool}, or unset it.`);
  }
  return names.map((name) => findOnPath(name, env)).find(Boolean) ?? elsewhere.find(isProgram);
}

/** @returns {string[]} the distribution and its relatives, such as ["ubuntu", "debian"] */
export function distribution() {
  try {
    const text = readFileSync("/etc/os-release", "utf8");
    const value = (key) => new RegExp(`^${key}="?([^"\n]*)"?$`, "m").exec(text)?.[1] ?? "";
    return `${value("ID")} ${value("ID_LIKE")}`.split(/\s+/).filter(Boolean);
  } catch {
    return [];
  }
}

/**
 * What a person types on this system, or undefined when we do not know it.
 * @param {"ffmpeg" | "chromium" | "xmllint"} tool
 * @param {{ platform: string, distro: string[], has: (program: string) => boolean, isRoot: boolean }} system
 */
export function installCommand(tool, { platform, distro, has, isRoot }) {
  const spec = TOOLS[tool];
  const sudo = isRoot ? "" : "sudo ";
  if (platform === "darwin") return `brew install ${spec.brew}`;
  if (platform === "win32") return spec.winget && `winget install ${spec.winget}`;
  const apt = spec.apt[distro.includes("ubuntu") ? "ubuntu" : "debian"];
  if (has("apt-get") && apt) return `${sudo}apt-get update && ${sudo}apt-get install -y ${apt}`;
  if (has("dnf")) return `${sudo}dnf install -y ${spec.dnf}`;
  if (has("pacman")) return `${sudo}pacman -S --noconfirm ${spec.pacman}`;
  if (has("zypper")) return `${sudo}zypper install -y ${spec.zypper}`;
  if (has("apk")) return `${sudo}apk add ${spec.apk}`;
  if (has("brew")) return `brew install ${spec.brew}`;
  return undefined;
}

/**
 * Finds a program, installs it where we may do that without asking (root on Debian or Ubuntu), or says what to type.
 * @param {"ffmpeg" | "chromium" | "xmllint"} tool
 * @param {{ required: boolean }} options a tool that is not required is only a warning
 */
export async function ensureTool(tool, { required }) {
  if (findTool(tool)) return;
  const isRoot = process.getuid?.() === 0;
  const distro = distribution();
  const has = (program) => findOnPath(program) !== undefined;
  const command = installCommand(tool, { platform: process.platform, distro, has, isRoot });
  const apt = TOOLS[tool].apt[distro.includes("ubuntu") ? "ubuntu" : "debian"];
  let failure = "";
  if (isRoot && apt && distro.some((id) => id === "debian" || id === "ubuntu") && has("apt-get")) {
    failure = await installByApt(tool, apt);
    if (findTool(tool)) return;
  }
  const { why, variable, without } = TOOLS[tool];
  const message = `${tool} is not here (${why})${failure}`;
  const remedy = command
    ? `Type:  ${command}   (or set ${variable} to where it is), then run the same command again.`
    : `Install ${tool} (on Ubuntu: Google Chrome's own .deb serves as chromium) or set ${variable} to where it is.`;
  if (required) throw new Stop(message, remedy);
  say(`warning: ${message}. ${without}`);
  say(remedy);
}

/** @returns {Promise<string>} why it failed, or nothing */
async function installByApt(tool, packageName) {
  say(`${tool} is missing: apt-get install ${packageName}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const wait = ["-o", "DPkg::Lock::Timeout=300"];
  const options = { env, timeoutMs: APT_TIMEOUT_MS };
  const update = await runQuietly("apt-get update", "apt-get", [...wait, "update"], options);
  const install = await runQuietly(
    `apt-get install ${packageName}`,
    "apt-get",
    [...wait, "install", "-y", "--no-install-recommends", packageName],
    options,
  );
  if (install.ok) return "";
  const said = `${update.ok ? "" : update.tail}\n${install.tail}`.trim().split("\n").slice(-6);
  return `, and apt-get could not install it:\n  ${said.join("\n  ")}\n`;
}
