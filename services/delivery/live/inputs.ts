import { readFile, stat } from "node:fs/promises";
import { isLoopback, problem, toProblem } from "#kernel";
import type { LiveInput } from "#kernel/ports/transcoder";
import { type Input, portOf } from "./domain.ts";
import type { Packager } from "./packager.ts";
import type { LivePlatform } from "./service.ts";
import type { StoredChannel } from "./store.ts";

/** An input with everything that it takes to open it. */
export interface ReadyInput extends Input {
  /** Stream key or passphrase. */
  readonly secret: string;
  readonly host: string;
  readonly port: number;
  readonly paths: readonly string[];
}

const RETRY_MS = 1_000;

const LIST = /\.(?:txt|m3u)$/i;
const LIST_BYTES_MAX = 1024 * 1024;
const FILES_MAX = 1_000;

/** Everything that a channel's inputs take: secrets, ports, the files of a list. */
export async function readyInputs(
  { secrets, config }: Pick<LivePlatform, "secrets" | "config">,
  { channel, secretName }: Pick<StoredChannel, "channel" | "secretName">,
): Promise<ReadyInput[]> {
  const kept = secretName === "" ? undefined : await secrets.get(secretName);
  const all = (kept?.value["secrets"] ?? []) as readonly string[];
  const host = isLoopback(config.MARQUEE_HOST) ? "127.0.0.1" : "0.0.0.0";
  return Promise.all(
    channel.inputs.map(async (input, index) => ({
      ...{ ...input, host, secret: all[index] ?? "" },
      port: input.kind === "rtmp" || input.kind === "srt" ? portOf(input.kind, input.url) : 0,
      paths: input.kind === "files" ? await filesOf(input.url) : [],
    })),
  );
}

/** A video, or a list with a path a line; lines that begin with # say nothing. */
async function filesOf(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: unknown) => {
    throw problem.notFound(`'${path}' cannot be read: check the name and its permissions`, { cause: error });
  });
  if (!LIST.test(path)) return [path];
  if (found.size > LIST_BYTES_MAX) throw problem.invalid(`'${path}' is larger than ${LIST_BYTES_MAX} bytes`);
  const lines = (await readFile(path, "utf8")).split(/\r?\n/).map((line) => line.trim());
  const paths = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const strange = paths.find((each) => !each.startsWith("/"));
  if (strange !== undefined) throw problem.invalid(`'${strange.slice(0, 80)}' in '${path}' is no absolute path`);
  if (paths.length === 0 || paths.length > FILES_MAX)
    throw problem.invalid(`'${path}' names ${paths.length} files: write 1 to ${FILES_MAX}`);
  return paths;
}

export interface Receivers {
  /** Somebody began to push to an input, or stopped. */
  pushed(index: number, isPushing: boolean): void;
  /** Opens an input anew: what is read of it now is not what it was when it was opened. One that is pushed cannot be, and goes on. */
  reopen(index: number): void;
  /** What is wrong with an input, for people; empty while nothing is. */
  message(index: number): string;
  readonly done: Promise<void>;
}

/** Keeps every input of a channel open for as long as it is awake: the backup as well, so that it is there when it is needed. */
export function keepReceiving(
  { transcoder, clock, logger }: Pick<LivePlatform, "transcoder" | "clock" | "logger">,
  packager: Packager,
  inputs: readonly ReadyInput[],
  signal: AbortSignal,
): Receivers {
  const messages = inputs.map(() => "");
  const waiting = inputs.map(() => [] as (() => void)[]);
  const pushing = inputs.map(() => false);
  const open = inputs.map(() => new AbortController());

  async function keep(input: ReadyInput, index: number): Promise<void> {
    while (!signal.aborted) {
      if (input.kind === "rtmp" && !pushing[index])
        await new Promise<void>((resolve) => {
          waiting[index]?.push(resolve);
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      if (signal.aborted) return;
      const ending = new AbortController();
      open[index] = ending;
      const over = AbortSignal.any([signal, ending.signal]);
      try {
        await transcoder.receiveLive(receiverOf(input, packager.flvPath(index)), packager.feedPath(index), over);
        messages[index] = "";
      } catch (error) {
        if (signal.aborted) return;
        if (ending.signal.aborted) continue;
        const { message } = toProblem(error);
        if (messages[index] !== message) logger.warn("an input of a channel failed", { input: input.kind, error });
        messages[index] = message;
      }
      await clock.sleep(RETRY_MS, signal).catch(() => {});
    }
  }

  const done = Promise.all(inputs.map(keep)).then(() => {});
  return {
    done,
    message: (index) => messages[index] ?? "",
    reopen(index) {
      if (inputs[index]?.kind !== "rtmp") open[index]?.abort();
    },
    pushed(index, isPushing) {
      pushing[index] = isPushing;
      if (isPushing) for (const go of waiting[index]?.splice(0) ?? []) go();
    },
  };
}

function receiverOf({ kind, url, host, port, secret, paths }: ReadyInput, flvPath: string): LiveInput {
  if (kind === "rtmp") return { kind: "flv", path: flvPath };
  if (kind === "srt") return { kind: "srt", host, port, passphrase: secret };
  if (kind === "files") return { kind: "files", paths };
  return { kind: kind === "mpegts" ? "ts" : "pull", url };
}
