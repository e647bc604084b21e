/**
 * Bytes to characters (XML 1.0, appendix F): a byte order mark decides, else the declaration, else UTF-8. What cannot be decoded becomes
 * U+FFFD and is counted, so that one broken byte does not cost a whole guide, and nobody takes the rest for whole.
 */
import { FormatError } from "#media/format";

export interface Decoder {
  /** The characters of the next bytes. */
  write(bytes: Uint8Array): string;
  end(): string;
}

export interface DecoderEvents {
  /** How many characters of a chunk stand for bytes that could not be decoded. */
  onBroken(count: number): void;
  /** The declaration names an encoding that the bytes are not in. */
  onMismatch(declared: string): void;
}

const HEAD_BYTES = 1_024;
const DECLARATION = /^<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']/;
/** XML knows encodings by their IANA names, and some documents by those of programming languages. */
const ALIASES: Readonly<Record<string, string>> = { "cp-1252": "windows-1252", cp1252: "windows-1252", utf8: "utf-8" };

export function openDecoder({ onBroken, onMismatch }: DecoderEvents): Decoder {
  let head = new Uint8Array();
  let decoder: InstanceType<typeof TextDecoder> | undefined;

  function decode(bytes: Uint8Array | undefined): string {
    const text = bytes === undefined ? (decoder?.decode() ?? "") : (decoder?.decode(bytes, { stream: true }) ?? "");
    let broken = 0;
    for (let at = text.indexOf("\uFFFD"); at >= 0; at = text.indexOf("\uFFFD", at + 1)) broken++;
    if (broken > 0) onBroken(broken);
    return text;
  }

  function open(): string {
    decoder = decoderFor(head, onMismatch);
    const bytes = head;
    head = new Uint8Array();
    return decode(bytes);
  }

  return {
    write(bytes) {
      if (decoder) return decode(bytes);
      const joined = new Uint8Array(head.length + bytes.length);
      joined.set(head);
      joined.set(bytes, head.length);
      head = joined;
      return head.length < HEAD_BYTES ? "" : open();
    },
    end: () => `${decoder ? "" : open()}${decode(undefined)}`,
  };
}

function decoderFor(head: Uint8Array, onMismatch: (declared: string) => void): InstanceType<typeof TextDecoder> {
  const [a, b, c] = head;
  if (a === 0xef && b === 0xbb && c === 0xbf) return new TextDecoder("utf-8");
  if (a === 0xff && b === 0xfe) return new TextDecoder("utf-16le");
  if (a === 0xfe && b === 0xff) return new TextDecoder("utf-16be");
  // "<?" in two bytes each, without a mark.
  if (a === 0x3c && b === 0 && c === 0x3f) return new TextDecoder("utf-16le");
  if (a === 0 && b === 0x3c && c === 0) return new TextDecoder("utf-16be");
  const start = new TextDecoder("latin1").decode(head.subarray(0, HEAD_BYTES)).trimStart();
  const declared = DECLARATION.exec(start)?.[1];
  if (declared === undefined) return new TextDecoder("utf-8");
  const label = declared.toLowerCase();
  if (label.startsWith("utf-16") || label.startsWith("ucs-2") || label.startsWith("iso-10646-ucs-2")) {
    // Its declaration could be read as bytes, so it cannot be what it says.
    onMismatch(declared);
    return new TextDecoder("utf-8");
  }
  try {
    return new TextDecoder(ALIASES[label] ?? label);
  } catch {
    throw new FormatError(
      "xmltv",
      `the encoding '${declared}' of its declaration is not known: write it in UTF-8, or in one of those that browsers know`,
    );
  }
}
