import { stat } from "node:fs/promises";
import { join } from "node:path";
import { problem } from "#kernel/errors";
import type { Complexity, PictureProbe, ProbedPicture, SourceInfo } from "#kernel/ports/transcoder";
import { BY_NUMBER, pictureFilters, ratio } from "./filters.ts";
import { asInput, INPUT_LIMITS, nameOf } from "./inputs.ts";
import { momentArgs, type PictureTools, QUIET } from "./pictures.ts";

const SAMPLES_MAX = 3;
const SAMPLE_S = 2;
const GOP_S = 2;
const PROBES_MAX = 24;
const THREADS = ["-threads", "2"] as const;

/**
 * What a film's pictures cost. Two seconds from three places of it are kept without loss, at the size of the first probe; each probe encodes these as
 * fast as is sensible and is compared with them at their size. So a long film costs what a short one does.
 */
export async function complexity(
  { run, ffmpeg }: PictureTools,
  path: string,
  source: SourceInfo,
  probes: readonly PictureProbe[],
  folder: string,
  signal?: AbortSignal,
): Promise<Complexity> {
  const [top] = probes;
  if (!top || probes.length > PROBES_MAX) throw problem.invalid(`${probes.length} probes are not 1 to ${PROBES_MAX}`);
  const ask = async (args: readonly string[]): Promise<string> => {
    const report = { program: ffmpeg, subject: nameOf(path), signal, output: "progress" } as const;
    return (await run({ ...report, args: [...QUIET, "-v", "info", "-progress", "pipe:1", ...args] })).stderr;
  };
  const reference = join(folder, "reference.mkv");
  const starts = sampleStarts(source.durationS);
  const seen = await ask(referenceArgs(path, source, top, starts, reference));
  const sampledS = starts.length * Math.min(SAMPLE_S, source.durationS);
  const probed: ProbedPicture[] = [];
  for (const [index, probe] of probes.entries()) {
    const out = join(folder, `probe-${index}.mp4`);
    await ask(probeArgs(reference, ratio(source.video.frameRate), probe, out));
    const { psnrDb, ssim } = readSimilarity(await ask(similarityArgs(out, reference, top)));
    const bitrateKbps = ((await stat(out)).size * 8) / 1_000 / sampledS;
    probed.push({ ...probe, bitrateKbps, psnrDb, ssim });
  }
  return { ...readDetail(seen), cutsPerMinute: (60 * cutsIn(seen)) / sampledS, sampledS, probes: probed };
}

/** Where the samples begin: in the middles of equal parts. Pure. */
export function sampleStarts(durationS: number): number[] {
  const count = Math.min(SAMPLES_MAX, Math.max(1, Math.floor(durationS / SAMPLE_S)));
  return Array.from({ length: count }, (_, index) =>
    Math.max(0, (durationS * (index + 0.5)) / count - Math.min(SAMPLE_S, durationS) / 2),
  );
}

function referenceArgs(
  path: string,
  source: SourceInfo,
  { width, height }: PictureProbe,
  starts: readonly number[],
  out: string,
): string[] {
  const { video } = source;
  const moments = starts.map((startS) => momentArgs(source, startS));
  const inputs = moments.flatMap(({ input }) => [...INPUT_LIMITS, ...THREADS, ...input, "-i", asInput(path)]);
  const rate = `${video.frameRate[0]}/${video.frameRate[1]}`;
  const parts = moments.map(({ filters }, index) => {
    const sample = [...filters, `trim=duration=${SAMPLE_S}`, "setpts=PTS-STARTPTS", `fps=fps=${rate}`];
    const looks = ["siti=print_summary=1", "scdet=threshold=10"];
    return `[${index}:${video.index}]${[...sample, ...pictureFilters(video, width, height), ...looks].join(",")}[s${index}]`;
  });
  const all = starts.map((_, index) => `[s${index}]`).join("");
  const graph = `${parts.join(";")};${all}concat=n=${starts.length}:v=1:a=0[out]`;
  const lossless = ["-c:v", "libx264", "-qp", "0", "-preset", "ultrafast", ...THREADS, "-g", "1000"];
  return [...inputs, "-filter_complex", graph, "-map", "[out]", ...lossless, "-f", "matroska", `file:${out}`];
}

function probeArgs(reference: string, rate: number, { width, height, crf }: PictureProbe, out: string): string[] {
  const gop = String(Math.max(1, Math.round(rate * GOP_S)));
  return [
    ...[...THREADS, "-i", asInput(reference), "-vf", `scale=${width}:${height}:flags=bicubic`],
    ...["-c:v", "libx264", ...THREADS, "-preset", "veryfast", "-crf", String(crf)],
    ...["-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-f", "mp4", `file:${out}`],
  ];
}

function similarityArgs(probe: string, reference: string, { width, height }: PictureProbe): string[] {
  const graph = `[0:v]scale=${width}:${height}:flags=bicubic,${BY_NUMBER},split[a][b];[1:v]${BY_NUMBER},split[c][d];[a][c]psnr[x];[b][d]ssim[y]`;
  const inputs = [probe, reference].flatMap((file) => [...THREADS, "-i", asInput(file)]);
  return [...inputs, "-filter_complex", graph, ...["x", "y"].flatMap((out) => ["-map", `[${out}]`, "-f", "null", "-"])];
}

/** The luma's PSNR and SSIM, from the closing words of the filters. Pure. */
export function readSimilarity(stderr: string): Pick<ProbedPicture, "psnrDb" | "ssim"> {
  const psnr = /PSNR y:(inf|[\d.]+)/.exec(stderr)?.[1];
  const ssim = /SSIM Y:([\d.]+)/.exec(stderr)?.[1];
  if (psnr === undefined || ssim === undefined) throw problem.internal("ffmpeg compared two pictures and said nothing");
  // No error at all is as good as one of a hundredth of a step.
  return { psnrDb: psnr === "inf" ? PSNR_DB_MAX : Math.min(PSNR_DB_MAX, Number(psnr)), ssim: Number(ssim) };
}
const PSNR_DB_MAX = 88;

/** The mean over samples of the spatial and temporal information (ITU-T P.910, 7.7), from the closing words of siti. Pure. */
export function readDetail(stderr: string): Pick<Complexity, "spatial" | "temporal"> {
  const averages = [...stderr.matchAll(/(Spatial|Temporal) Information:\s*Average:\s*(-?nan|[\d.]+)/g)];
  const meanOf = (kind: string): number => {
    const values = averages.flatMap(([, of, value]) => (of === kind ? [Number(value) || 0] : []));
    return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  };
  return { spatial: meanOf("Spatial"), temporal: meanOf("Temporal") };
}

const cutsIn = (stderr: string): number => [...stderr.matchAll(/lavfi\.scd\.score:/g)].length;
