import { problem } from "#kernel/errors";
import type { LiveAudio, LiveEncode, LiveInput, LiveProgress, LiveSource, LiveVideo } from "#kernel/ports/transcoder";
import type { RunChild } from "./children.ts";

/** Two threads cut a frame into two slices; more would not fit the subsamples of Common Encryption for long. */
const THREADS = 2;
const VIDEO_TIMESCALE = 90_000;
const SAMPLE_RATE_HZ = 48_000;
/** A test picture begins at a multiple of this from its start. */
const SPAN_S = 2;
/** How many cells the clock's strip has, one for each bit. */
const STRIP_BITS = 32;

/**
 * One track of a live source, from its own process: a single ffmpeg that encodes several pictures uses one core. What it makes goes
 * into a socket and not through our pipes, so that nobody who answers people touches it on the way; standard output has its report.
 */
export async function encodeLive(
  run: RunChild,
  ffmpeg: string,
  job: LiveEncode,
  out: string,
  progress: LiveProgress,
  signal?: AbortSignal,
): Promise<void> {
  await run({
    program: ffmpeg,
    args: liveArgs(job, out),
    subject: "the live input",
    signal,
    output: "progress",
    onReport: (report) =>
      progress({
        frames: Number(report.get("frame") ?? 0),
        framesDropped: Number(report.get("drop_frames") ?? 0),
        speed: Number.parseFloat(report.get("speed") ?? "") || 0,
      }),
  });
}

/** The whole command line; pure. */
export function liveArgs({ source, track, leadS }: LiveEncode, out: string): string[] {
  return [
    ...["-nostdin", "-hide_banner", "-v", "error", "-nostats", "-progress", "pipe:1", "-filter_threads", "1"],
    ...(track.kind === "video"
      ? [...picture(source, track, leadS), ...h264(track)]
      : [...sound(source, leadS), ...aac(track)]),
    // Each frame leaves as soon as the next one is there: who cuts parts does it by counting frames.
    ...["-movflags", "+cmaf+empty_moov+default_base_moof+frag_every_frame+frag_discont", "-flush_packets", "1"],
    ...["-f", "mp4", `unix:${out}`],
  ];
}

const picture = (source: LiveSource, track: LiveVideo, leadS: number): string[] =>
  source.kind === "test" ? testPicture(source, track, leadS) : fedPicture(source, track, leadS);

const sound = (source: LiveSource, leadS: number): string[] =>
  source.kind === "test" ? testTone(source, leadS) : fedSound(source, leadS);

type Test = Extract<LiveSource, { readonly kind: "test" }>;
type Feed = Extract<LiveSource, { readonly kind: "feed" }>;

/** A transport stream as it comes; what it holds has to be known before the first frame can go on. */
const feedInput = ({ path }: Feed): string[] => [
  // Its 33 bits are taken as they are: where they begin anew the channel does so too.
  ...["-copyts", "-correct_ts_overflow", "0", "-fflags", "+nobuffer+discardcorrupt"],
  ...["-probesize", "1000000", "-analyzeduration", "1500000"],
  ...["-protocol_whitelist", "unix", "-f", "mpegts", "-i", `unix:${path}`],
];

/** Every rung puts the input's own times on one grid and begins with the same frame, whenever its process came up. */
function fedPicture(source: Feed, { width, height, frameRate }: LiveVideo, leadS: number): string[] {
  const first = Math.round(source.startS * frameRate);
  const filters = [
    `fps=fps=${frameRate}`,
    `trim=start_pts=${first}`,
    `setpts=PTS-${first - leadS * frameRate}`,
    "yadif=deint=interlaced",
    `scale=${width}:${height}:flags=bilinear:force_original_aspect_ratio=decrease:force_divisible_by=2`,
    `pad=${width}:${height}:-1:-1,setsar=1`,
    "format=yuv420p",
  ];
  const times = ["-fps_mode", "passthrough", "-enc_time_base", `1:${frameRate}`];
  return [...feedInput(source), "-map", "0:v:0", "-sn", "-dn", "-vf", filters.join(","), ...times];
}

function fedSound(source: Feed, leadS: number): string[] {
  const filters = [
    `aresample=${SAMPLE_RATE_HZ}:async=1000`,
    `atrim=start=${source.startS}`,
    `asetpts=PTS-${source.startS - leadS}/TB`,
  ];
  return [...feedInput(source), "-map", "0:a:0", "-sn", "-dn", "-af", filters.join(",")];
}

/**
 * Passes an input on. It is not decoded: whoever reads it does that. What is a transport stream already goes on byte for byte, with the times
 * that its sections of SCTE 35 speak of; ffmpeg 5 would carry those sections, but not their times.
 */
export async function receiveLive(
  run: RunChild,
  ffmpeg: string,
  input: LiveInput,
  out: string,
  signal?: AbortSignal,
): Promise<void> {
  const args = [
    ...["-nostdin", "-hide_banner", "-v", "error", "-nostats", "-progress", "pipe:1"],
    ...inputArgs(input),
    ...(isTransportStream(input)
      ? ["-map", "0", "-c", "copy", "-flush_packets", "1", "-f", "data"]
      : [...["-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy", "-muxdelay", "0", "-muxpreload", "0"], ...TS_OUT]),
    `unix:${out}`,
  ];
  const stdin = input.kind === "files" ? concatList(input.paths) : "";
  await run({ program: ffmpeg, args, subject: "the live input", signal, stdin, output: "progress" });
}

const TS_OUT = ["-flush_packets", "1", "-f", "mpegts"];
const isTransportStream = ({ kind }: LiveInput): boolean => kind === "srt" || kind === "ts";

/** What an input is opened by: no protocol but its own. */
function inputArgs(input: LiveInput): string[] {
  const quick = ["-fflags", "+nobuffer+genpts", "-probesize", "1000000", "-analyzeduration", "1500000"];
  if (input.kind === "files")
    return [
      ...["-re", "-stream_loop", "-1", "-protocol_whitelist", "file,pipe,fd", "-f", "concat", "-safe", "0"],
      ...["-i", "pipe:0"],
    ];
  if (input.kind === "srt") {
    const passphrase = input.passphrase === "" ? "" : `&passphrase=${encodeURIComponent(input.passphrase)}&pbkeylen=16`;
    const url = `srt://${input.host}:${input.port}?mode=listener&latency=120000&transtype=live${passphrase}`;
    return [...RAW, "-protocol_whitelist", "srt", "-i", url];
  }
  if (input.kind === "flv") return [...quick, "-protocol_whitelist", "unix", "-f", "flv", "-i", `unix:${input.path}`];
  if (input.kind === "ts") return [...RAW, "-protocol_whitelist", PULL, "-i", input.url];
  // Segments come in one go, and are passed on at the speed of time.
  return [...quick, "-re", "-protocol_whitelist", PULL, "-i", input.url];
}

const RAW = ["-fflags", "+nobuffer", "-f", "data"];
const PULL = "udp,http,https,tcp,tls,crypto";

/** One file a line; a quote within quotes is written outside of them. */
const concatList = (paths: readonly string[]): string =>
  `ffconcat version 1.0\n${paths.map((path) => `file 'file:${path.replaceAll("'", String.raw`'\''`)}'`).join("\n")}\n`;

function testPicture({ title, startMs }: Test, { width, height, frameRate }: LiveVideo, leadS: number): string[] {
  if (!/^[A-Za-z0-9 ]{1,60}$/.test(title))
    throw problem.invalid(`'${title.slice(0, 80)}' cannot be drawn: letters, digits and spaces can, at most 60`);
  const line = (text: string, sizeOfHeight: number, y: string): string =>
    `drawtext=font=monospace:text='${text}':fontsize=h*${sizeOfHeight}:x=(w-tw)/2:y=${y}:fontcolor=white`;
  const sinceStart = `st(0,time(0)-${startMs / 1_000})`;
  // A process that came up late begins at a later span, where its key frames are those of the others.
  const firstPlace = `if(eq(N,0),st(0,${leadS}+${SPAN_S}*round((RTCTIME/1000000-${startMs / 1_000})/${SPAN_S})),0)`;
  const filters = [
    `select='${sinceStart};if(ld(1),1,if(gte(ld(0),0)*lt(mod(ld(0),${SPAN_S}),${1.5 / frameRate}),st(1,1),0))'`,
    `scale=${width}:${height}:flags=bilinear`,
    // For as long as the clock is drawn a frame's time is the wall clock's, read once.
    "settb=1/1000,setpts='RTCTIME/1000'",
    line(title, 0.07, "h*0.2"),
    line("%{pts\\:hms\\:0\\:24HH}", 0.16, "h*0.42"),
    line("UTC", 0.05, "h*0.62"),
    ...clockStrip(),
    `settb=1/${VIDEO_TIMESCALE},setpts='${firstPlace};ld(0)*${VIDEO_TIMESCALE}+N*${VIDEO_TIMESCALE / frameRate}'`,
    "format=yuv420p",
  ];
  // Drawn small: what is smooth needs no more, and the encoder needs the processor.
  const pattern = `gradients=size=320x180:rate=${frameRate}:speed=0.02:nb_colors=3:c0=0x1b1030:c1=0x5b2a86:c2=0xb4632a`;
  return ["-re", "-f", "lavfi", "-i", pattern, "-vf", filters.join(","), "-fps_mode", "passthrough"];
}

/**
 * The clock for machines: along the lower edge, milliseconds since the epoch modulo 2^32 as cells of equal width, the highest bit at
 * the left, white for 1 and black for 0.
 */
function clockStrip(): string[] {
  const cell = (bit: number, color: string, more = ""): string =>
    `drawbox=x=${bit}*iw/${STRIP_BITS}:y=ih-ih/20:w=iw/${STRIP_BITS}:h=ih/20:t=fill:color=${color}${more}`;
  const bits = Array.from({ length: STRIP_BITS }, (_, bit) =>
    cell(bit, "white", `:enable='mod(floor(t*1000/${2 ** (STRIP_BITS - 1 - bit)}),2)'`),
  );
  return ["drawbox=x=0:y=ih-ih/20:w=iw:h=ih/20:t=fill:color=black", ...bits];
}

function testTone({ startMs }: Test, leadS: number): string[] {
  const tone = `sine=frequency=220:beep_factor=4:sample_rate=${SAMPLE_RATE_HZ}:samples_per_frame=1024`;
  const startS = startMs / 1_000;
  const filters = [
    `aselect='gte(time(0),${startS})'`,
    `asetpts='if(eq(N,0),st(0,${leadS}+max(0,RTCTIME/1000000-${startS})),0);(ld(0)+N/SR)/TB'`,
    "volume=0.2",
  ];
  return ["-re", "-f", "lavfi", "-i", tone, "-af", filters.join(",")];
}

function h264(track: LiveVideo): string[] {
  const { width, height, frameRate, bitrateKbps, gopFrames, isLowLatency } = track;
  for (const [name, value] of Object.entries({ width, height }))
    if (value % 2 !== 0 || value < 16) throw problem.invalid(`${name} is ${value}; it must be even and at least 16`);
  if (VIDEO_TIMESCALE % frameRate !== 0) throw problem.invalid(`${frameRate} frames a second are not supported`);
  return [
    ...["-an", "-c:v", "libx264", "-threads", String(THREADS), "-preset", isLowLatency ? "superfast" : "veryfast"],
    ...(isLowLatency ? ["-tune", "zerolatency"] : ["-bf", "0"]),
    ...["-profile:v", Math.min(width, height) >= 480 ? "high" : "main"],
    ...["-b:v", `${bitrateKbps}k`, "-maxrate:v", `${bitrateKbps}k`, "-bufsize:v", `${bitrateKbps}k`],
    // Key frames stand where parts begin, whichever frame was the first.
    ...["-force_key_frames", `expr:not(mod(round(t*${frameRate}),${gopFrames}))`, "-forced-idr", "1"],
    ...["-g", "9999", "-keyint_min", "1", "-sc_threshold", "0", "-flags", "+cgop"],
    ...["-bsf:v", "filter_units=remove_types=6", "-video_track_timescale", String(VIDEO_TIMESCALE)],
  ];
}

const aac = ({ bitrateKbps }: LiveAudio): string[] => [
  ...["-vn", "-c:a", "aac", "-b:a", `${bitrateKbps}k`, "-ar", String(SAMPLE_RATE_HZ), "-ac", "2"],
];
