/** The 15 rows by 32 columns of a caption memory, and their translation into a WebVTT cue. */
import type { Cue } from "#media/webvtt";

export const ROWS = 15;
export const COLUMNS = 32;

export interface Style {
  readonly colour: string;
  readonly italic: boolean;
  readonly underline: boolean;
}

export interface Cell {
  readonly character: string;
  readonly style: Style;
}

export const PLAIN: Style = { colour: "white", italic: false, underline: false };

export class Screen {
  /** Sparse rows; index 0 is row 1 of the standard. */
  private rows: (Cell | undefined)[][] = Array.from({ length: ROWS }, () => []);

  get isEmpty(): boolean {
    return this.rows.every((row) => row.every((cell) => cell === undefined || cell.character.trim() === ""));
  }

  put(row: number, column: number, cell: Cell): void {
    const cells = this.rows[row];
    if (cells !== undefined && column >= 0 && column < COLUMNS) cells[column] = cell;
  }

  erase(row: number, fromColumn: number, toColumn = COLUMNS): void {
    const cells = this.rows[row];
    for (let column = fromColumn; cells !== undefined && column < toColumn; column++) cells[column] = undefined;
  }

  clear(): void {
    this.rows = Array.from({ length: ROWS }, () => []);
  }

  /** Moves the window that ends at `base` up by one row; what leaves it is gone (CEA-608-E, 7.4). */
  rollUp(base: number, height: number): void {
    const top = Math.max(0, base - height + 1);
    this.rows = this.rows.map((_row, at) => (at >= top && at < base ? (this.rows[at + 1] ?? []) : []));
  }

  /** Moves the roll-up window to another base row. */
  moveWindow(fromBase: number, toBase: number, height: number): void {
    const moved: (Cell | undefined)[][] = Array.from({ length: ROWS }, () => []);
    for (let line = 0; line < height; line++) {
      const row = this.rows[fromBase - line];
      if (row !== undefined && toBase - line >= 0) moved[toBase - line] = row;
    }
    this.rows = moved;
  }

  /** The text with WebVTT tags and the cue settings that put it where it was, or null where nothing is to be seen. */
  render(): Pick<Cue, "text" | "settings"> | null {
    const lines: { row: number; left: number; right: number; text: string }[] = [];
    this.rows.forEach((cells, row) => {
      const columns = [...cells.keys()].filter((column) => (cells[column]?.character ?? " ").trim() !== "");
      const left = columns[0];
      const right = columns.at(-1);
      if (left !== undefined && right !== undefined) lines.push({ row, left, right, text: markUp(cells, left, right) });
    });
    const first = lines[0];
    if (first === undefined) return null;
    return { text: lines.map((line) => line.text).join("\n"), settings: settingsOf(lines, first.row) };
  }
}

/** Safe title area: rows and columns fill the middle 80 % of the picture (CEA-608-E, 6.4.1). */
function settingsOf(lines: readonly { row: number; left: number; right: number }[], topRow: number): string {
  const bottomRow = lines.at(-1)?.row ?? topRow;
  const settings: string[] = [];
  // Captions at the bottom stay with the player, which moves them out of the way of its controls.
  if (bottomRow < ROWS - 4) settings.push(`line:${Math.round(10 + (topRow * 80) / ROWS)}%`);
  const centred = lines.every((line) => Math.abs(line.left - (COLUMNS - 1 - line.right)) <= 3);
  if (!centred) {
    const left = Math.min(...lines.map((line) => line.left));
    settings.push(`position:${Math.round(10 + (left * 80) / COLUMNS)}%,line-left`, "align:start");
  }
  return settings.join(" ");
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\u00a0": "&nbsp;" };

function markUp(cells: readonly (Cell | undefined)[], left: number, right: number): string {
  let out = "";
  let open: Style = PLAIN;
  for (let column = left; column <= right; column++) {
    const cell = cells[column];
    // A gap has no style of its own; letting the tags run on through it keeps the markup small.
    const style = cell === undefined || cell.character === " " ? open : cell.style;
    if (style.colour !== open.colour || style.italic !== open.italic || style.underline !== open.underline) {
      out += closing(open) + opening(style);
      open = style;
    }
    const character = cell?.character ?? " ";
    out += ESCAPES[character] ?? character;
  }
  return out + closing(open);
}

const opening = (style: Style): string =>
  `${style.colour === "white" ? "" : `<c.${style.colour}>`}${style.italic ? "<i>" : ""}${style.underline ? "<u>" : ""}`;
const closing = (style: Style): string =>
  `${style.underline ? "</u>" : ""}${style.italic ? "</i>" : ""}${style.colour === "white" ? "" : "</c>"}`;
