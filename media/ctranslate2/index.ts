/**
 * Model files of CTranslate2 (binary version 6), which carry Whisper's weights. All numbers are little endian:
 *
 *   file     = version:u32 spec:text revision:u32 count:u32 variable{count} aliases:u32 alias{aliases}
 *   variable = name:text rank:u8 side:u32{rank} type:u8 size:u32 bytes{size}
 *   alias    = name:text variable:text
 *   text     = length:u16 bytes{length}, the last of which is zero
 */
import { FormatError } from "#media/format";

const VERSION = 6;
const VARIABLES_MAX = 10_000;
const RANK_MAX = 8;
/** Types by number, and the bytes of a value; int8, int16 and int32 hold what is no weight of ours. */
const TYPES = { 0: "float32", 1: "int8", 2: "int16", 3: "int32", 4: "float16" } as const;
const SIZES = { float32: 4, int8: 1, int16: 2, int32: 4, float16: 2 } as const;

export interface Variable {
  readonly type: (typeof TYPES)[keyof typeof TYPES];
  readonly shape: readonly number[];
  /** A view of the file. */
  readonly bytes: Uint8Array;
}

export interface Ctranslate2 {
  /** Such as `WhisperSpec`. */
  readonly spec: string;
  readonly revision: number;
  /** By name; aliases are names, too. */
  readonly variables: ReadonlyMap<string, Variable>;
}

export function readCtranslate2(file: Uint8Array): Ctranslate2 {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let at = 0;
  const take = (bytes: number, what: string): number => {
    if (bytes > file.byteLength - at)
      throw new FormatError("ctranslate2", `${what} goes beyond the end of the file`, at);
    at += bytes;
    return at - bytes;
  };
  const u8 = (what: string): number => view.getUint8(take(1, what));
  const u32 = (what: string): number => view.getUint32(take(4, what), true);
  const text = (what: string): string => {
    const length = view.getUint16(take(2, what), true);
    const start = take(length, what);
    return new TextDecoder().decode(file.subarray(start, start + length)).replace(/\0$/, "");
  };
  const version = u32("the version");
  if (version !== VERSION) throw new FormatError("ctranslate2", `version ${version} is not ${VERSION}`, 0);
  const spec = text("the specification's name");
  const revision = u32("the revision");
  const count = u32("the number of variables");
  if (count > VARIABLES_MAX)
    throw new FormatError("ctranslate2", `${count} variables are more than ${VARIABLES_MAX}`, at);
  const variables = new Map<string, Variable>();
  for (let index = 0; index < count; index += 1) {
    const name = text("a variable's name");
    const rank = u8("a variable's rank");
    if (rank > RANK_MAX) throw new FormatError("ctranslate2", `'${name.slice(0, 100)}' has ${rank} sides`, at);
    const shape = Array.from({ length: rank }, () => u32("a variable's side"));
    const number = u8("a variable's type");
    const type = TYPES[number as keyof typeof TYPES];
    if (!type)
      throw new FormatError("ctranslate2", `'${name.slice(0, 100)}' is of the type ${number}, which is not known`, at);
    const size = u32("a variable's size");
    if (size !== shape.reduce((product, side) => product * side, SIZES[type]))
      throw new FormatError(
        "ctranslate2",
        `'${name.slice(0, 100)}' has ${size} bytes and the shape [${shape.join(", ")}]`,
        at,
      );
    const start = take(size, "a variable's value");
    variables.set(name, { type, shape, bytes: file.subarray(start, start + size) });
  }
  const aliases = u32("the number of aliases");
  if (aliases > VARIABLES_MAX)
    throw new FormatError("ctranslate2", `${aliases} aliases are more than ${VARIABLES_MAX}`, at);
  for (let index = 0; index < aliases; index += 1) {
    const name = text("an alias");
    const variable = variables.get(text("an alias' variable"));
    if (variable) variables.set(name, variable);
  }
  return { spec, revision, variables };
}
