/**
 * The regular expressions of `catu` and `cath` (CTA-5007 names POSIX extended ones), run in linear time.
 *
 *   expression = branch *("|" branch)      branch = *piece      piece = atom ["*" | "+" | "?" | "{" m ["," [n]] "}"]
 *   atom       = char | "\" punctuation | "." | "^" | "$" | "[" ["^"] set "]" | "(" expression ")"
 *
 * A token comes from outside, and a backtracking engine can be made to run for hours by a pattern of twenty
 * characters. This one compiles to a nondeterministic automaton and keeps the set of its states for each character, so
 * that its time is at most states x characters, and both are bounded. Back-references and look-around, which no
 * automaton can do, do not exist in POSIX extended expressions and are refused.
 */
import { FormatError } from "#media/format";

const PATTERN_LENGTH_MAX = 256;
const SUBJECT_LENGTH_MAX = 8192;
const STATES_MAX = 1024;
const STEPS_MAX = 16_384;
const REPEAT_MAX = 255;
const DEPTH_MAX = 16;

type Test = (code: number) => boolean;
type State =
  | { readonly kind: "char"; readonly test: Test; readonly next: number }
  | Split
  | { readonly kind: "start" | "end"; readonly next: number }
  | { readonly kind: "match" };
interface Split {
  readonly kind: "split";
  next: number;
  readonly other: number;
}

type Node =
  | { readonly kind: "char"; readonly test: Test }
  | { readonly kind: "start" | "end" }
  | { readonly kind: "sequence" | "choice"; readonly items: readonly Node[] }
  | { readonly kind: "repeat"; readonly item: Node; readonly min: number; readonly max: number };

const CLASSES: ReadonlyMap<string, Test> = new Map<string, Test>([
  ["alpha", (c) => isBetween(c, "a", "z") || isBetween(c, "A", "Z")],
  ["digit", (c) => isBetween(c, "0", "9")],
  ["alnum", (c) => isBetween(c, "a", "z") || isBetween(c, "A", "Z") || isBetween(c, "0", "9")],
  ["upper", (c) => isBetween(c, "A", "Z")],
  ["lower", (c) => isBetween(c, "a", "z")],
  ["xdigit", (c) => isBetween(c, "0", "9") || isBetween(c, "a", "f") || isBetween(c, "A", "F")],
  ["space", (c) => c === 32 || (c >= 9 && c <= 13)],
  ["blank", (c) => c === 32 || c === 9],
  ["punct", (c) => (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126)],
]);

function isBetween(code: number, first: string, last: string): boolean {
  return code >= first.charCodeAt(0) && code <= last.charCodeAt(0);
}

function fail(message: string, offset: number): never {
  throw new FormatError("cat", `regular expression: ${message} (at character ${offset})`);
}

/** Parses by recursive descent; the depth of groups is bounded. */
class Parser {
  #at = 0;
  readonly #pattern: string;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  whole(): Node {
    const node = this.#choice(DEPTH_MAX);
    if (this.#at < this.#pattern.length) fail("a group is closed that was not opened", this.#at);
    return node;
  }

  #peek(): string {
    return this.#pattern[this.#at] ?? "";
  }

  #choice(depth: number): Node {
    if (depth === 0) fail("groups nest too deeply", this.#at);
    const items = [this.#sequence(depth)];
    while (this.#peek() === "|") {
      this.#at += 1;
      items.push(this.#sequence(depth));
    }
    return { kind: "choice", items };
  }

  #sequence(depth: number): Node {
    const items: Node[] = [];
    while (this.#at < this.#pattern.length && this.#peek() !== "|" && this.#peek() !== ")") {
      items.push(this.#repeat(this.#atom(depth)));
    }
    return { kind: "sequence", items };
  }

  #repeat(item: Node): Node {
    const at = this.#at;
    const bounds = this.#bounds();
    if (bounds === undefined) return item;
    if (item.kind === "start" || item.kind === "end") fail("an anchor cannot be repeated", at);
    if (this.#at < this.#pattern.length && "*+?{".includes(this.#peek())) {
      fail("a repetition follows a repetition", this.#at);
    }
    return { kind: "repeat", item, ...bounds };
  }

  #bounds(): { min: number; max: number } | undefined {
    const at = this.#at;
    const char = this.#peek();
    if (char === "*" || char === "+" || char === "?") {
      this.#at += 1;
      return { min: char === "+" ? 1 : 0, max: char === "?" ? 1 : Number.POSITIVE_INFINITY };
    }
    if (char !== "{") return undefined;
    const end = this.#pattern.indexOf("}", at);
    const [low = "", high] = end < 0 ? [] : this.#pattern.slice(at + 1, end).split(",", 2);
    const isNumeric = (text: string): boolean => /^\d{1,3}$/u.test(text);
    if (!isNumeric(low) || (high !== undefined && high !== "" && !isNumeric(high))) fail("a bound is not {m,n}", at);
    this.#at = end + 1;
    const min = Number(low);
    const max = high === undefined ? min : high === "" ? Number.POSITIVE_INFINITY : Number(high);
    if (min > REPEAT_MAX || (max !== Number.POSITIVE_INFINITY && max > REPEAT_MAX) || max < min) {
      fail(`a bound is over ${REPEAT_MAX} or reversed`, at);
    }
    return { min, max };
  }

  #atom(depth: number): Node {
    const at = this.#at;
    const char = this.#peek();
    this.#at += 1;
    switch (char) {
      case "(": {
        const node = this.#choice(depth - 1);
        if (this.#peek() !== ")") fail("a group is not closed", at);
        this.#at += 1;
        return node;
      }
      case "[":
        return { kind: "char", test: this.#bracket(at) };
      case ".":
        return { kind: "char", test: () => true };
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case "*":
      case "+":
      case "?":
      case "{":
        return fail("a repetition has nothing to repeat", at);
      case "\\": {
        const escaped = this.#peek();
        // Letters and digits after a backslash are classes and back-references elsewhere, and undefined in POSIX.
        if (escaped === "" || /[\p{L}\p{N}]/u.test(escaped)) fail("only punctuation can be escaped", at);
        this.#at += 1;
        return literal(escaped);
      }
      default:
        return literal(char);
    }
  }

  #bracket(start: number): Test {
    const isNegated = this.#peek() === "^";
    if (isNegated) this.#at += 1;
    const tests: Test[] = [];
    // A closing bracket that comes first stands for itself.
    for (let isFirst = true; isFirst || this.#peek() !== "]"; isFirst = false) {
      if (this.#at >= this.#pattern.length) fail("a bracket is not closed", start);
      tests.push(this.#bracketItem(start));
    }
    this.#at += 1;
    const test: Test = (code) => tests.some((each) => each(code));
    return isNegated ? (code) => !test(code) : test;
  }

  #bracketItem(start: number): Test {
    const rest = this.#pattern.slice(this.#at, this.#at + 2);
    if (rest === "[.") fail("collating elements are not supported", this.#at);
    if (rest === "[=") fail("equivalence classes are not supported", this.#at);
    if (rest === "[:") {
      const end = this.#pattern.indexOf(":]", this.#at);
      const test = CLASSES.get(this.#pattern.slice(this.#at + 2, Math.max(end, this.#at + 2)));
      if (end < 0 || test === undefined) return fail("a character class is unknown", this.#at);
      this.#at = end + 2;
      return test;
    }
    const first = this.#peek().charCodeAt(0);
    this.#at += 1;
    const next = this.#pattern[this.#at + 1];
    if (this.#peek() !== "-" || next === undefined || next === "]") return (code) => code === first;
    this.#at += 2;
    const last = next.charCodeAt(0);
    if (last < first || next === "[") fail("a range is reversed", start);
    return (code) => code >= first && code <= last;
  }
}

function literal(char: string): Node {
  const expected = char.charCodeAt(0);
  return { kind: "char", test: (code) => code === expected };
}

/** Builds the automaton backwards: each call gets the state that follows and returns the state to enter. */
function compile(root: Node): { states: readonly State[]; first: number } {
  const states: State[] = [{ kind: "match" }];
  const add = (state: State): number => {
    if (states.length >= STATES_MAX) throw new FormatError("cat", `regular expression: more than ${STATES_MAX} states`);
    return states.push(state) - 1;
  };
  let steps = 0;
  const build = (node: Node, next: number): number => {
    // Empty groups add no states, so repetitions of them are bounded by their count.
    steps += 1;
    if (steps > STEPS_MAX) throw new FormatError("cat", "regular expression: too many repetitions");
    switch (node.kind) {
      case "char":
        return add({ kind: "char", test: node.test, next });
      case "start":
      case "end":
        return add({ kind: node.kind, next });
      case "sequence":
        return node.items.reduceRight((after, item) => build(item, after), next);
      case "choice":
        return node.items
          .map((item) => build(item, next))
          .reduceRight((other, first) => add({ kind: "split", next: first, other }));
      case "repeat": {
        let entry = next;
        if (node.max === Number.POSITIVE_INFINITY) {
          const loop: Split = { kind: "split", next: 0, other: next };
          entry = add(loop);
          loop.next = build(node.item, entry);
        } else {
          for (let index = node.min; index < node.max; index += 1) {
            entry = add({ kind: "split", next: build(node.item, entry), other: next });
          }
        }
        for (let index = 0; index < node.min; index += 1) entry = build(node.item, entry);
        return entry;
      }
    }
  };
  return { states, first: build(root, 0) };
}

/**
 * Compiles a pattern to a search: true when any part of the subject matches, as POSIX has it; anchor the pattern to
 * match the whole. Throws FormatError for a pattern that is malformed, too long or too large. A subject over 8192
 * characters does not match, because an answer about its first part would be a guess.
 */
export function compileRegex(pattern: string): (subject: string) => boolean {
  if (pattern.length > PATTERN_LENGTH_MAX) {
    throw new FormatError("cat", `regular expression: longer than ${PATTERN_LENGTH_MAX} characters`);
  }
  const { states, first } = compile(new Parser(pattern).whole());
  return (subject) => subject.length <= SUBJECT_LENGTH_MAX && run(states, first, subject);
}

function run(states: readonly State[], first: number, subject: string): boolean {
  // A state is in the set when its mark is the current step, so that the set is emptied by counting.
  const marks = new Int32Array(states.length).fill(-1);
  const stack: number[] = [];
  let current: State[] = [];
  const enter = (entry: number, position: number, into: State[]): boolean => {
    stack.push(entry);
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      const state = states[index];
      if (state === undefined || marks[index] === position) continue;
      marks[index] = position;
      if (state.kind === "match") {
        stack.length = 0;
        return true;
      }
      if (state.kind === "char") into.push(state);
      else if (state.kind === "split") stack.push(state.other, state.next);
      else if (state.kind === "start" ? position === 0 : position === subject.length) stack.push(state.next);
    }
    return false;
  };
  if (enter(first, 0, current)) return true;
  for (let position = 0; position < subject.length; position += 1) {
    const code = subject.charCodeAt(position);
    const following: State[] = [];
    for (const state of current) {
      if (state.kind === "char" && state.test(code) && enter(state.next, position + 1, following)) return true;
    }
    if (enter(first, position + 1, following)) return true;
    current = following;
  }
  return false;
}
