import { lookup } from "node:dns";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { BlockList, isIP, isIPv4, type LookupFunction } from "node:net";
import { problem } from "#kernel";

/** The internet, for addresses that strangers wrote: never a private network, never more than was asked for. */
export interface Outside {
  /** A whole answer of at most `bytesMax`. Rejects for any status but 2xx, and for an address that leads inside. */
  get(url: string, options: { readonly signal: AbortSignal; readonly bytesMax: number }): Promise<Uint8Array>;
  /** Hands an answer over as it comes; the same limits. */
  read(
    url: string,
    options: { readonly signal: AbortSignal; readonly bytesMax: number },
    use: (chunks: AsyncIterable<Uint8Array>) => Promise<void>,
  ): Promise<void>;
}

const REDIRECTS_MAX = 3;
const URL_CHARS_MAX = 8_192;

/** Everything that is not of the public internet (RFC 6890): loopback, links, private and shared networks, documentation, multicast. */
const INSIDE = new BlockList();
for (const [network, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const)
  INSIDE.addSubnet(network, bits, "ipv4");
// Of IPv6 only 2000::/3 is public; documentation, 6to4 and Teredo lie in it, and the last two lead to IPv4.
const PUBLIC6 = new BlockList();
PUBLIC6.addSubnet("2000::", 3, "ipv6");
for (const [network, bits] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
] as const)
  INSIDE.addSubnet(network, bits, "ipv6");

export function isInside(address: string): boolean {
  if (isIPv4(address)) return INSIDE.check(address, "ipv4");
  return !PUBLIC6.check(address, "ipv6") || INSIDE.check(address, "ipv6");
}

/** `privateHosts` may be inside: an operator named them. */
export function openOutside(privateHosts: readonly string[] = []): Outside {
  const mayBeInside = (host: string): boolean => privateHosts.includes(host.toLowerCase());

  /** Judged where the address is looked up, so that no second answer of a name server can differ from the one that was judged. */
  const judgedLookup: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, []);
      const allowed = mayBeInside(hostname) ? found : found.filter(({ address }) => !isInside(address));
      const [first] = allowed;
      if (!first) return callback(new Error(`${hostname} leads into a private network`), []);
      if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };

  function open(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = url.protocol === "https:" ? httpsRequest : httpRequest;
      const headers = { "user-agent": "Marquee", accept: "*/*" };
      request(url, { method: "GET", headers, signal, lookup: judgedLookup, agent: false }, resolve)
        .once("error", reject)
        .end();
    });
  }

  async function follow(text: string, signal: AbortSignal): Promise<IncomingMessage> {
    let url = addressOf(text);
    for (let redirects = 0; ; redirects++) {
      const host = url.hostname.replace(/^\[|\]$/g, "");
      if (isIP(host) !== 0 && isInside(host) && !mayBeInside(host))
        throw problem.denied(`'${url.host}' is in a private network: MARQUEE_AD_PRIVATE_HOSTS may allow it`);
      const response = await open(url, signal);
      const { statusCode = 0, headers } = response;
      if (statusCode >= 200 && statusCode < 300) return response;
      response.destroy();
      if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined)
        throw problem.unavailable(`'${url.host}' answered ${statusCode}`);
      if (redirects >= REDIRECTS_MAX)
        throw problem.unavailable(`'${url.host}' sends us on more than ${REDIRECTS_MAX} times`);
      url = addressOf(headers.location, url);
    }
  }

  const outside: Outside = {
    async get(url, options) {
      const chunks: Uint8Array[] = [];
      await outside.read(url, options, async (body) => {
        for await (const chunk of body) chunks.push(chunk);
      });
      return Buffer.concat(chunks);
    },
    async read(url, { signal, bytesMax }, use) {
      const response = await follow(url, signal);
      try {
        await use(bounded(response, bytesMax, signal));
      } finally {
        response.destroy();
      }
    },
  };
  return outside;
}

function addressOf(text: string, base?: URL): URL {
  if (text.length > URL_CHARS_MAX || !URL.canParse(text, base?.href))
    throw problem.invalid(`'${text.slice(0, 80)}' is no address`);
  const url = new URL(text, base);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw problem.invalid(`'${url.protocol}' is not read, only http and https`);
  url.username = "";
  url.password = "";
  return url;
}

async function* bounded(body: IncomingMessage, bytesMax: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    signal.throwIfAborted();
    sizeBytes += chunk.length;
    if (sizeBytes > bytesMax) throw problem.invalid(`the answer is larger than ${bytesMax} bytes`);
    yield chunk;
  }
}
