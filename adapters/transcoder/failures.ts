import { type Problem, problem } from "#kernel/errors";

export interface Failure {
  readonly stderr: string;
  readonly code: number | null;
  readonly signalName: string | null;
  readonly program: string;
  readonly subject: string;
}

interface Rule {
  readonly pattern: RegExp;
  readonly make: (failure: Failure, match: RegExpMatchArray) => Problem;
}

const unsupported = (reason: string, say: (subject: string, match: RegExpMatchArray) => string): Rule["make"] => {
  return (failure, match) => problem.unsupportedMedia(say(failure.subject, match), { reason });
};

/** The first rule that matches wins: causes stand before the symptoms that they lead to. */
const RULES: readonly Rule[] = [
  {
    pattern: /No space left on device|ENOSPC|Disk quota exceeded/,
    make: (failure) =>
      problem.exhausted(`the disk is full: ${failure.subject} could not be written; free some space and try again`, {
        reason: "disk_full",
      }),
  },
  {
    pattern: /Cannot allocate memory|Error while opening encoder.*memory/,
    make: (failure) =>
      problem.exhausted(`not enough memory to work on ${failure.subject}; close other programs and try again`, {
        reason: "out_of_memory",
      }),
  },
  {
    pattern: /Permission denied/,
    make: (failure) =>
      problem.denied(`${failure.subject} may not be read; change its permissions and try again`, {
        reason: "media_not_readable",
      }),
  },
  {
    pattern: /not on whitelist|not in whitelist|disallowed by the (?:user|protocol)/i,
    make: unsupported(
      "media_not_a_video",
      (subject) =>
        `${subject} is not a video file: it is sound, a playlist, a script, an image or text; import the video itself`,
    ),
  },
  {
    pattern: /moov atom not found/,
    make: unsupported(
      "media_truncated",
      (subject) =>
        `${subject} is cut short, or no video at all: its index (moov) is missing; copy or export the file again`,
    ),
  },
  {
    pattern: /Unknown encoder '([\w-]+)'/,
    make: (failure, match) =>
      problem.unavailable(`this ffmpeg has no encoder '${match[1]}'; install a full build. ${INSTALL_HINT}`, {
        reason: "encoder_missing",
      }),
  },
  {
    pattern: /No such filter: '([\w-]+)'/,
    make: (failure, match) =>
      problem.unavailable(`this ffmpeg has no filter '${match[1]}'; install a full build. ${INSTALL_HINT}`, {
        reason: "filter_missing",
      }),
  },
  {
    pattern: /Decoder \(codec ([\w-]+)\) not found|Decoding requested, but no decoder found for: (\w+)/,
    make: unsupported(
      "media_codec_unsupported",
      (subject, match) =>
        `${subject} uses the codec '${match[1] ?? match[2]}', which cannot be decoded here; convert it`,
    ),
  },
  {
    pattern: /does not contain any stream|matches no streams|Output file is empty|nothing was encoded/,
    make: unsupported(
      "media_empty",
      (subject) => `${subject} holds nothing that can be decoded there; the file is damaged or cut short`,
    ),
  },
  {
    pattern:
      /Invalid data found when processing input|Not yet implemented in FFmpeg|Error opening input|could not find codec parameters/i,
    make: unsupported(
      "media_not_a_video",
      (subject) => `${subject} is not a video that can be read: it is damaged, cut short or another kind of file`,
    ),
  },
];

export const INSTALL_HINT = installHint(process.platform);

/** What a person types on this system to get ffmpeg. */
export function installHint(platform: string): string {
  if (platform === "darwin") return "Type: brew install ffmpeg";
  if (platform === "win32") return "Type: winget install Gyan.FFmpeg";
  return "Type: sudo apt-get install -y ffmpeg (Debian, Ubuntu) or sudo dnf install ffmpeg (Fedora)";
}

export function missingProgram(program: string): Problem {
  return problem.unavailable(
    `the program '${program}' was not found. ${INSTALL_HINT}, or set FFMPEG_PATH and FFPROBE_PATH`,
    {
      reason: "ffmpeg_missing",
    },
  );
}

/** Turns what ffmpeg said into words that a person can act on. */
export function describeFailure(failure: Failure): Problem {
  // Whatever the spawn guard puts before the program reports its absence in its own words.
  if (/(?:setpriv|chrt): failed to execute .*No such file/.test(failure.stderr)) return missingProgram(failure.program);
  for (const rule of RULES) {
    const match = failure.stderr.match(rule.pattern);
    if (match) return rule.make(failure, match);
  }
  if (failure.signalName !== null) {
    return problem.aborted(
      `${failure.program} was stopped by ${failure.signalName} while it worked on ${failure.subject}; try again`,
      {
        reason: "transcoder_killed",
      },
    );
  }
  const last =
    failure.stderr
      .trim()
      .split("\n")
      .at(-1)
      ?.replace(/^\[[^\]]*\]\s*|file:.*:\s/g, "")
      .slice(0, 200) ?? "";
  return problem.unsupportedMedia(
    `${failure.subject} could not be processed: ${last || `${failure.program} ended with code ${failure.code}`}`,
    { reason: "media_failed" },
  );
}
