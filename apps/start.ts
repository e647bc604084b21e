import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Config, isLoopback, problem } from "#kernel";
import { buildClients } from "../scripts/build-clients.ts";
import { startProductAdmin } from "./admin/start.ts";
import { composeProduct, DEMO_ACCOUNTS, isDemoAllowed, type Product } from "./compose.ts";
import { beginFirstFilm, startDemo } from "./demo.ts";

const STOP_MS_MAX = 15_000;

/** `marquee start`: brings the product up, says so, and runs until it is told to stop. */
export async function start(config: Config): Promise<void> {
  const startedMs = performance.now();
  const seconds = (): string => `${((performance.now() - startedMs) / 1_000).toFixed(1)} s`;
  const say = (line: string): void => console.log(`${`[${seconds()}]`.padStart(9)} ${line}`);
  assertDemoIsSafe(config);
  const folder = resolve(config.MARQUEE_DATA);
  const release = await claim(folder);
  let product: Product | undefined;
  let isStopping = false;
  const abort = new AbortController();
  const extras: (() => Promise<unknown> | void)[] = [];

  const stop = async (code: number): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    console.log("\nstopping …");
    const hard = setTimeout(() => process.exit(code || 1), STOP_MS_MAX);
    hard.unref();
    abort.abort();
    for (const extra of extras.toReversed()) await Promise.resolve(extra()).catch(() => {});
    await product?.stop();
    await release();
    console.log("stopped");
    process.exit(code);
  };
  process.on("SIGINT", () => void stop(0));
  process.on("SIGTERM", () => void stop(0));

  const drawing = { config, folder: join(folder, "demo"), signal: abort.signal };
  const firstFilm = isDemoAllowed(config) ? beginFirstFilm(drawing) : Promise.resolve();
  extras.push(() => firstFilm);

  try {
    const build = await buildClients({ say });
    product = await composeProduct(config, { say, build });
    const { host } = product;
    const admin = await startProductAdmin(product, config, "127.0.0.1");
    extras.push(() => admin.stop());
    if (isDemoAllowed(config)) {
      const demo = await startDemo({ ...drawing, host, say, firstFilm });
      extras.push(() => demo.stop());
    }
    announce(product, config, seconds());
  } catch (error) {
    console.error(`\nMarquee could not start: ${error instanceof Error ? error.message : String(error)}`);
    if (config.MARQUEE_LOG_LEVEL === "debug") console.error(error);
    await stop(1);
  }
}

function announce({ places }: Product, config: Config, seconds: string): void {
  const { publicUrl } = places.addresses;
  console.log(`\nready ${publicUrl} (${seconds})`);
  if (isDemoAllowed(config)) {
    for (const { email, password } of DEMO_ACCOUNTS) console.log(`  sign in as ${email}  password ${password}`);
  }
  console.log(`  API reference  ${publicUrl}/docs`);
  console.log(`  metrics        http://127.0.0.1:${places.adminPort}/metrics`);
  console.log("  your own film  ./marquee import FILE --wait");
  console.log("  Ctrl-C stops everything\n");
}

/** Demo accounts have a public password: elsewhere than on this machine the product does not start with them. */
function assertDemoIsSafe(config: Config): void {
  if (!config.MARQUEE_DEMO || isDemoAllowed(config)) return;
  const why = isLoopback(config.MARQUEE_HOST) ? "in production mode" : `on '${config.MARQUEE_HOST}'`;
  throw problem.precondition(
    `the demo accounts have a public password, so Marquee does not start with them ${why}: set MARQUEE_DEMO=0`,
  );
}

/** One product a data folder: its log, cache and database have one writer. A lock of a process that is gone is taken over. */
export async function claim(folder: string): Promise<() => Promise<void>> {
  const file = join(folder, "run/product.pid");
  await mkdir(join(folder, "run"), { recursive: true, mode: 0o700 });
  const [pid = "", started = ""] = (await readFile(file, "utf8").catch(() => "")).split(" ");
  if (pid !== "" && pid !== String(process.pid) && started !== "" && (await startOf(pid)) === started.trim()) {
    throw problem.alreadyExists(
      `Marquee runs already on '${folder}' (process ${pid}): stop it first, or choose another folder with MARQUEE_DATA`,
    );
  }
  await writeFile(file, `${process.pid} ${await startOf(String(process.pid))}\n`, { mode: 0o600 });
  return () => rm(file, { force: true });
}

/** When a process began, as the system counts; process numbers are given again, a number with its beginning is not. */
async function startOf(pid: string): Promise<string> {
  if (!/^\d+$/.test(pid)) return "";
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  if (line !== "") return line.slice(line.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  try {
    process.kill(Number(pid), 0);
    return "unknown";
  } catch {
    return "";
  }
}
