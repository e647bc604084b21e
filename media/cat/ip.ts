/**
 * IP addresses and prefixes in text (RFC 4291, section 2.2) and in CBOR (RFC 9164: tag 52 for IPv4 and 54 for IPv6;
 * an address is a byte string, a prefix is [length, bytes without trailing zeros]).
 */
import { type CborTag, type CborValue, isArray, isBytes } from "#media/cbor";
import { FormatError } from "#media/format";

export interface IpNetwork {
  /** 4 or 16 bytes in network order. */
  readonly address: Uint8Array;
  /** How many leading bits count: 32 or 128 for a single address. */
  readonly prefixBits: number;
}

const TAG_IPV4 = 52;
const TAG_IPV6 = 54;
const TEXT_LENGTH_MAX = 64;

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  for (const part of parts) {
    // A leading zero is octal to some parsers, so it is no address here.
    if (!/^(?:0|[1-9]\d{0,2})$/u.test(part) || Number(part) > 255) return undefined;
    bytes.push(Number(part));
  }
  return bytes;
}

function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (index === groups.length - 1 && group.includes(".")) {
      const tail = parseIpv4(group);
      if (tail === undefined) return undefined;
      bytes.push(...tail);
    } else {
      if (!/^[0-9a-f]{1,4}$/iu.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

/** The bytes of an address; an IPv4 address mapped into IPv6 (::ffff:1.2.3.4) becomes the IPv4 address it is. */
export function parseIp(text: string): Uint8Array | undefined {
  if (text.length > TEXT_LENGTH_MAX) return undefined;
  if (!text.includes(":")) {
    const ipv4 = parseIpv4(text);
    return ipv4 === undefined ? undefined : Uint8Array.from(ipv4);
  }
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "");
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "") : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined;
  const bytes = Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? bytes.slice(12) : bytes;
}

/** Parses "192.0.2.0/24", "2001:db8::/32" or a single address. Throws FormatError. */
export function parseNetwork(text: string): IpNetwork {
  const [addressText = "", prefixText, ...rest] = text.split("/");
  const address = parseIp(addressText);
  if (address === undefined || rest.length > 0) throw new FormatError("cat", `"${text.slice(0, 64)}" is no IP network`);
  const bitsMax = address.length * 8;
  if (prefixText === undefined) return { address, prefixBits: bitsMax };
  const prefixBits = /^\d{1,3}$/u.test(prefixText) ? Number(prefixText) : Number.NaN;
  if (!(prefixBits <= bitsMax)) throw new FormatError("cat", `"${text.slice(0, 64)}" has a wrong prefix length`);
  return { address, prefixBits };
}

export function isInNetwork(address: Uint8Array, network: IpNetwork): boolean {
  if (address.length !== network.address.length) return false;
  const whole = network.prefixBits >> 3;
  for (let index = 0; index < whole; index += 1) if (address[index] !== network.address[index]) return false;
  const rest = network.prefixBits & 7;
  if (rest === 0) return true;
  const mask = 0xff << (8 - rest);
  return ((address[whole] ?? 0) & mask & 0xff) === ((network.address[whole] ?? 0) & mask & 0xff);
}

export function networkToCbor({ address, prefixBits }: IpNetwork): CborTag {
  const tag = address.length === 4 ? TAG_IPV4 : TAG_IPV6;
  if (prefixBits === address.length * 8) return { tag, value: address };
  // RFC 9164, section 3.1.2: bits behind the prefix are zero and trailing zero bytes are left out.
  const bytes = address.slice(0, (prefixBits + 7) >> 3);
  const last = bytes.length - 1;
  if (prefixBits & 7) bytes[last] = (bytes[last] ?? 0) & (0xff << (8 - (prefixBits & 7)));
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length -= 1;
  return { tag, value: [prefixBits, bytes.subarray(0, length)] };
}

/** Throws FormatError for anything but an address or a prefix. */
export function networkFromCbor({ tag, value }: CborTag): IpNetwork {
  const size = tag === TAG_IPV4 ? 4 : tag === TAG_IPV6 ? 16 : undefined;
  if (size === undefined) throw new FormatError("cat", `tag ${tag} is no IP network`);
  if (isBytes(value) && value.length === size) return { address: value, prefixBits: size * 8 };
  const [prefixBits, bytes] = isArray(value) && value.length === 2 ? value : ([] as CborValue[]);
  if (typeof prefixBits !== "number" || !isBytes(bytes) || bytes.length > size) {
    throw new FormatError("cat", "an IP network is neither an address nor a prefix");
  }
  if (!Number.isInteger(prefixBits) || prefixBits < 0 || prefixBits > size * 8) {
    throw new FormatError("cat", `an IP prefix has ${prefixBits} bits`);
  }
  const address = new Uint8Array(size);
  address.set(bytes);
  return { address, prefixBits };
}
