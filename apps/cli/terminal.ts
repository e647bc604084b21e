import { createInterface } from "node:readline/promises";
import { problem } from "#kernel";

/** Where commands write, and what that place can show. */
export interface Terminal {
  /** What was asked for: standard output. */
  out(line: string): void;
  /** What goes on meanwhile, and what went wrong: standard error. */
  note(line: string): void;
  /** Lines that replace those of the last call, where notes go to a screen; elsewhere nothing. */
  redraw(lines: readonly string[]): void;
  /** Whether notes go to a screen, so that lines can be redrawn. */
  readonly isScreen: boolean;
  /** Whether a person can be asked. */
  readonly canAsk: boolean;
  readonly columns: number;
}

const COLUMNS = 100;

export function openTerminal(process: NodeJS.Process): Terminal {
  const { stdout, stderr, stdin } = process;
  // A reader that has had enough (`| head`) closes the pipe, and that is no failure of ours.
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(0);
    });
  }
  let drawn = 0;
  const wipe = (): void => {
    if (drawn > 0) stderr.write(`\u001B[${drawn}A\u001B[J`);
    drawn = 0;
  };
  const isScreen = stderr.isTTY && process.env["TERM"] !== "dumb";
  const columns = stderr.columns || stdout.columns || COLUMNS;
  return {
    out(line) {
      wipe();
      stdout.write(`${line}\n`);
    },
    note(line) {
      wipe();
      stderr.write(`${line}\n`);
    },
    redraw(lines) {
      if (!isScreen) return;
      const shown = lines.slice(0, Math.max((stderr.rows || 24) - 1, 1)).map((line) => cut(line, columns - 1));
      wipe();
      stderr.write(shown.map((line) => `${line}\n`).join(""));
      drawn = shown.length;
    },
    isScreen,
    canAsk: stdin.isTTY && isScreen,
    columns,
  };
}

/** Asks a person; a program has to say --yes. */
export async function confirm(terminal: Terminal, question: string): Promise<boolean> {
  if (!terminal.canAsk) throw problem.precondition("nobody is there to ask: add --yes");
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(question)).trim());
  } finally {
    prompt.close();
  }
}

/** Text of strangers (titles, file names) without the control characters that would drive a terminal. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, " ");

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
const WIDE = /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/** How many columns a text takes: wide letters and pictures take two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** At most so many columns, with an ellipsis for what is gone. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = "";
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += WIDE.test(segment) ? 2 : 1;
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Columns side by side, two spaces between them. Cells are made plain; the widest column gives way on a narrow screen. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], columns: number): string[] {
  const cells = [head, ...rows].map((row) => row.map(plain));
  const widths = head.map((_, i) => Math.max(...cells.map((row) => widthOf(row[i] ?? ""))));
  const spare = columns - widths.reduce((sum, width) => sum + width + 2, -2);
  const widest = widths.indexOf(Math.max(...widths));
  if (spare < 0) widths[widest] = Math.max((widths[widest] ?? 0) + spare, 12);
  return cells.map((row) =>
    row
      .map((cell, i) => {
        const shown = cut(cell, widths[i] ?? 0);
        return shown + " ".repeat(Math.max((widths[i] ?? 0) - widthOf(shown), 0));
      })
      .join("  ")
      .trimEnd(),
  );
}

/** `[########------]  57 %`, of `columns` characters between the brackets. */
export function bar(ratio: number, columns = 24): string {
  const full = Math.round(clamp(ratio) * columns);
  return `[${"#".repeat(full)}${"-".repeat(columns - full)}] ${percent(ratio).padStart(5)}`;
}

/** Rounded down, because 100 % is for what is done. */
export const percent = (ratio: number): string => `${Math.floor(clamp(ratio) * 100)} %`;

const clamp = (ratio: number): number => (ratio > 0 ? Math.min(ratio, 1) : 0);

/** As people say it: `42 s`, `3 min`, `1 h 12 min`. */
export function duration(seconds: number): string {
  if (!(seconds >= 0.5)) return "0 s";
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

export function bytes(count: number): string {
  let unit = 0;
  let rest = count;
  while (rest >= 1_000 && unit < UNITS.length - 1) {
    rest /= 1_000;
    unit++;
  }
  return `${rest < 10 && unit > 0 ? rest.toFixed(1) : Math.round(rest)} ${UNITS[unit] ?? ""}`;
}
