import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { access, constants, readFile, stat, statfs } from "node:fs/promises";
import { createServer, isIP } from "node:net";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { locateEngine, unprivilegedUser } from "#adapters/postgres/engine";
import { openTranscoder } from "#adapters/transcoder/ffmpeg";
import { type Config, isLoopback, toProblem } from "#kernel";
import { installedByHand, isInstalled } from "../../scripts/bootstrap/install.mjs";
import { distribution, findOnPath, findTool, installCommand, type Tool } from "../../scripts/bootstrap/tools.mjs";
import { isCode } from "../admin/socket.ts";
import { certificateFiles } from "./cert.ts";
import type { About } from "./client.ts";
import { bytes } from "./terminal.ts";

/** One line of `marquee doctor`. */
export interface Check {
  readonly name: string;
  /** `missing`: something does not work without it; `warn`: something is less than it could be. */
  readonly status: "ok" | "warn" | "missing";
  readonly detail: string;
  /** What to do; empty where all is well. */
  readonly remedy: string;
}

export interface Place {
  readonly root: string;
  readonly config: Config;
  readonly dataFolder: string;
  /** What the running product says; null when none runs. */
  readonly about: About | null;
}

const run = promisify(execFile);
const NODE_MAJOR_MIN = 24;
const GB = 1e9;
/** Below the first a film cannot be encoded; below the second a few cannot. */
const DISK_BYTES_MIN = 2 * GB;
const DISK_BYTES_COMFORT = 20 * GB;

const ok = (name: string, detail: string): Check => ({ name, status: "ok", detail, remedy: "" });
const warn = (name: string, detail: string, remedy: string): Check => ({ name, status: "warn", detail, remedy });
const missing = (name: string, detail: string, remedy: string): Check => ({ name, status: "missing", detail, remedy });

/** Every check, in the order a person would ask; one that fails by itself is a finding and not the end. */
export async function runChecks(place: Place): Promise<Check[]> {
  const checks: readonly (readonly [string, (place: Place) => Promise<readonly Check[]>])[] = [
    ["node", async () => [checkNode(process.version)]],
    ["packages", async ({ root }) => [checkPackages(isInstalled(root) || installedByHand(root))]],
    ["ffmpeg", checkFfmpeg],
    ["PostgreSQL", checkPostgres],
    ["data folder", checkDataFolder],
    ["disk", checkDisk],
    ["certificate", checkCertificate],
    ["ports", checkPorts],
    ["browser", async () => [checkBrowser()]],
    ["product", async ({ about }) => checkProduct(about)],
  ];
  const results = await Promise.all(
    checks.map(([name, check]) =>
      check(place).catch((error: unknown): Check[] => [
        missing(name, describe(error), "Mend what it says and run ./marquee doctor again."),
      ]),
    ),
  );
  return results.flat();
}

function describe(error: unknown): string {
  const fault = toProblem(error);
  return fault.code === "internal" && error instanceof Error ? error.message : fault.message;
}

export function checkNode(version: string): Check {
  const major = Number(/^v(\d+)/.exec(version)?.[1] ?? 0);
  if (major >= NODE_MAJOR_MIN) return ok("node", version);
  return missing(
    "node",
    `${version} runs this command; Marquee needs ${NODE_MAJOR_MIN}`,
    "Use ./marquee, which brings its own Node.",
  );
}

function checkPackages(installed: boolean): Check {
  if (installed) return ok("packages", "as package-lock.json wants them");
  return warn(
    "packages",
    "node_modules is not what package-lock.json asks for",
    "npm start installs what is missing; or type: npm ci",
  );
}

async function checkFfmpeg({ config }: Place): Promise<Check[]> {
  const { FFMPEG_PATH: ffmpegPath, FFPROBE_PATH: ffprobePath } = config;
  const remedy = remedyFor("ffmpeg");
  try {
    const found = await openTranscoder({
      ...(ffmpegPath ? { ffmpegPath } : {}),
      ...(ffprobePath ? { ffprobePath } : {}),
    }).capabilities();
    const can = { H264: found.h264, HEVC: found.hevc, AAC: found.aac, "HDR to SDR": found.toneMapping };
    const abilities = Object.entries(can).flatMap(([name, isThere]) => (isThere ? [name] : []));
    const lacks = Object.entries(can).flatMap(([name, isThere]) => (isThere ? [] : [name]));
    const detail = `${found.program} ${found.version}: ${abilities.join(", ") || "nothing we need"}`;
    const needed = !found.h264 || !found.aac;
    const mend = `Without ${lacks.join(", ")}: install an ffmpeg with libx264, libx265 and libzimg, or point FFMPEG_PATH at one.`;
    const engine = lacks.length === 0 ? ok("ffmpeg", detail) : (needed ? missing : warn)("ffmpeg", detail, mend);
    return [engine, checkFfprobe(ffprobePath)];
  } catch (error) {
    return [missing("ffmpeg", describe(error), remedy), checkFfprobe(ffprobePath)];
  }
}

function checkFfprobe(named: string | undefined): Check {
  const path = named ?? findOnPath("ffprobe");
  if (path !== undefined) return ok("ffprobe", path);
  return missing("ffprobe", "not found; it reads what a file holds", `It comes with ffmpeg. ${remedyFor("ffmpeg")}`);
}

function checkBrowser(): Check {
  const name = "browser";
  try {
    const path = findTool("chromium");
    if (path !== undefined) return ok(name, `${path} (for the tests)`);
    return warn(name, "no Chromium or Chrome for the browser tests; the product needs none", remedyFor("chromium"));
  } catch (error) {
    return warn(name, describe(error), remedyFor("chromium"));
  }
}

function remedyFor(tool: Tool): string {
  const isRoot = process.getuid?.() === 0;
  const command = installCommand(tool, {
    platform: process.platform,
    distro: distribution(),
    has: (program) => findOnPath(program) !== undefined,
    isRoot,
  });
  const variable = tool === "ffmpeg" ? "FFMPEG_PATH" : "CHROMIUM_PATH";
  return command === undefined
    ? `Install ${tool}, or set ${variable} to where it is.`
    : `Type: ${command}   (or set ${variable} to where it is)`;
}

async function checkPostgres({ config }: Place): Promise<Check[]> {
  if (config.MARQUEE_POSTGRES_URL !== undefined) {
    const host = URL.parse(config.MARQUEE_POSTGRES_URL)?.host;
    if (!host)
      return [
        missing(
          "PostgreSQL",
          "MARQUEE_POSTGRES_URL is not an address",
          "Write postgres://user:password@host:5432/database",
        ),
      ];
    return [ok("PostgreSQL", `by URL, on ${host}; npm start tries it`)];
  }
  const { postgres } = await locateEngine(await unprivilegedUser());
  const { stdout } = await run(postgres, ["--version"], { timeout: 10_000 });
  return [ok("PostgreSQL", `embedded, ${stdout.trim().replace(/^postgres \(PostgreSQL\) /, "")}`)];
}

async function checkDataFolder({ dataFolder }: Place): Promise<Check[]> {
  const name = "data folder";
  const existing = await nearest(dataFolder);
  const remedy = `Give '${existing}' to the user who runs Marquee, or choose another folder with MARQUEE_DATA.`;
  const isWritable = await access(existing, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable) return [missing(name, `${dataFolder}: this user may not write to '${existing}'`, remedy)];
  return [ok(name, existing === dataFolder ? dataFolder : `${dataFolder} (made at the first start)`)];
}

async function checkDisk({ dataFolder }: Place): Promise<Check[]> {
  const { bavail, bsize } = await statfs(await nearest(dataFolder));
  return [judgeDisk(bavail * bsize)];
}

export function judgeDisk(freeBytes: number): Check {
  const detail = `${bytes(freeBytes)} free`;
  const remedy =
    "Make room, or choose a folder on another disk with MARQUEE_DATA. An hour of film takes about 10 GB while it is made.";
  if (freeBytes < DISK_BYTES_MIN) return missing("disk", detail, remedy);
  return freeBytes < DISK_BYTES_COMFORT ? warn("disk", detail, remedy) : ok("disk", detail);
}

/** The folder, or the first one above it that exists. */
async function nearest(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    const info = await stat(at).catch(() => undefined);
    if (info || at === dirname(at)) return at;
  }
}

async function checkCertificate({ config, dataFolder }: Place): Promise<Check[]> {
  const name = "certificate";
  const host = config.MARQUEE_HOST;
  const file = config.MARQUEE_TLS_CERT ?? certificateFiles(dataFolder).certificate;
  if (isLoopback(host) && config.MARQUEE_TLS_CERT === undefined) return [ok(name, "not needed on this machine")];
  const make = `Type: ./marquee cert ${host}   (or name your own in MARQUEE_TLS_CERT and MARQUEE_TLS_KEY)`;
  const pem = await readFile(file, "utf8").catch(() => undefined);
  if (pem === undefined) return [missing(name, `'${file}' cannot be read; '${host}' needs HTTPS`, make)];
  return [judgeCertificate(new X509Certificate(pem), host, Date.now(), make)];
}

const EXPIRES_SOON_MS = 30 * 86_400_000;

export function judgeCertificate(certificate: X509Certificate, host: string, nowMs: number, remedy: string): Check {
  const name = "certificate";
  const isForHost = (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
  if (!isForHost)
    return missing(name, `it is for ${certificate.subjectAltName ?? "nobody"}, not for '${host}'`, remedy);
  const untilMs = Date.parse(certificate.validTo);
  const until = new Date(untilMs).toISOString().slice(0, 10);
  if (untilMs < nowMs) return missing(name, `it ended on ${until}`, remedy);
  return untilMs - nowMs < EXPIRES_SOON_MS
    ? warn(name, `it ends on ${until}`, remedy)
    : ok(name, `for '${host}' until ${until}`);
}

/** The public port, the two edges, the origin and this one's admin port, in this order. */
const PORTS = ["UI and API", "edge A", "edge B", "origin", "admin"];

async function checkPorts({ config, about }: Place): Promise<Check[]> {
  const first = config.MARQUEE_PORT;
  if (first === 0) return [ok("ports", "any free ones")];
  if (about) return [ok("ports", `${first} to ${first + PORTS.length - 1}, held by the running product`)];
  const taken: string[] = [];
  for (const [i, what] of PORTS.entries()) if (!(await isFree(first + i))) taken.push(`${first + i} (${what})`);
  if (taken.length === 0) return [ok("ports", `${first} to ${first + PORTS.length - 1} are free`)];
  return [
    missing(
      "ports",
      `taken by another program: ${taken.join(", ")}`,
      `Stop that program, or choose others, as in MARQUEE_PORT=${first + 100} npm start`,
    ),
  ];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) =>
      isCode(error, "EADDRINUSE") || isCode(error, "EACCES") ? resolve(false) : reject(error),
    );
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

export function checkProduct(about: About | null): Check[] {
  if (!about) return [warn("product", "not running", "Type: npm start")];
  const uptimeMin = Math.floor((Date.now() - about.startedAtMs) / 60_000);
  const parts = [...Object.entries(about.services), ...Object.entries(about.adapters)];
  const ill = parts.filter(([, state]) => !state.ok);
  const url = typeof about["url"] === "string" ? `${about["url"]}, ` : "";
  const detail = `${url}process ${about.pid}, for ${uptimeMin} min, ${bytes(about.memoryBytes)} of memory`;
  if (ill.length === 0) return [ok("product", `${detail}; all ${parts.length} services and adapters are ready`)];
  return [
    warn(
      "product",
      `${detail}; ${ill.length} of ${parts.length} services and adapters are not ready`,
      "See the lines below.",
    ),
    ...ill.map(([name, state]) =>
      missing(name, state.detail, `Its log lines say more: they have "service":"${name}".`),
    ),
  ];
}
