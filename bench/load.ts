/** A load generator for HTTP servers of this machine: wrk, or a small one on node:http in a process of its own. Not a bench by itself. */
import { execFile, execFileSync, fork } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface LoadOptions {
  readonly baseUrl: string;
  /** Asked for in turn, as they stand. */
  readonly paths: readonly string[];
  readonly connections: number;
  readonly durationS: number;
  /** For wrk's script. */
  readonly folder: string;
}

/** Requests a second. Throws when an answer was not 2xx or a connection broke: a fast refusal is no speed. */
export function load(options: LoadOptions): Promise<number> {
  return hasWrk() ? loadByWrk(options) : loadByNode(options);
}

let wrk: boolean | undefined;
function hasWrk(): boolean {
  if (wrk !== undefined) return wrk;
  try {
    execFileSync("wrk", ["-v"], { stdio: "ignore" });
    wrk = true;
  } catch (error) {
    // It prints its version and exits with 1.
    wrk = (error as { code?: unknown }).code !== "ENOENT";
  }
  return wrk;
}

async function loadByWrk({ baseUrl, paths, connections, durationS, folder }: LoadOptions): Promise<number> {
  const script = join(folder, "load.lua");
  // Requests are made once: the generator must not be what is slow.
  await writeFile(
    script,
    `local paths = { ${paths.map((path) => JSON.stringify(path)).join(", ")} }
local requests, at = {}, 0
init = function() for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path) end end
request = function() at = at % #requests + 1; return requests[at] end
done = function(summary) local e = summary.errors
  io.write(string.format("RESULT %d %d %d\\n", summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout)) end`,
  );
  const args = ["-t1", `-c${connections}`, `-d${durationS}s`, "-s", script, baseUrl];
  const { stdout } = await promisify(execFile)("wrk", args, { timeout: (durationS + 20) * 1_000 });
  const [, requests, durationUs, errors] = /^RESULT (\d+) (\d+) (\d+)$/m.exec(stdout) ?? [];
  if (requests === undefined || Number(errors) > 0) throw new Error(`wrk saw ${errors ?? "no"} errors:\n${stdout}`);
  return (Number(requests) * 1e6) / Number(durationUs);
}

function loadByNode(options: LoadOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(options)]);
    child.once("message", (rate) => resolve(Number(rate)));
    child.once("exit", (code) => reject(new Error(`the load generator ended with ${code}`)));
  });
}

async function generate({ baseUrl, paths, connections, durationS }: LoadOptions): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port } = new URL(baseUrl);
  const startMs = performance.now();
  let done = 0;
  const ask = (path: string): Promise<void> =>
    new Promise((resolve, reject) => {
      request({ hostname, port, path, agent }, (response) => {
        response.resume();
        response.once("end", () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`${path}: ${response.statusCode}`)),
        );
      })
        .once("error", reject)
        .end();
    });
  await Promise.all(
    Array.from({ length: connections }, async (_, client) => {
      for (let at = client; performance.now() - startMs < durationS * 1_000; at += 1) {
        await ask(paths[at % paths.length] ?? "/");
        done += 1;
      }
    }),
  );
  agent.destroy();
  return (done * 1_000) / (performance.now() - startMs);
}

if (import.meta.main && process.send !== undefined) {
  const rate = await generate(JSON.parse(process.argv[2] ?? "null") as LoadOptions);
  process.send(rate, () => process.exit(0));
}
