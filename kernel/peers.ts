import { problem } from "./errors.ts";

/**
 * Where the services are that run elsewhere.
 *
 *   peers   = peer *("," peer)                    ; MARQUEE_PEERS
 *   peer    = ( service / "*" ) "=" address *("|" address)
 *   address = "https://" host ":" port
 *
 * Of several addresses each call takes the next one. `*` is for services that are not named. Where that is not set either, MARQUEE_PEER_TEMPLATE
 * makes an address of the name: `https://{service}:7000`.
 */
export type Peers = (service: string) => readonly string[];

const PEERS_MAX = 100;
const ADDRESSES_MAX = 16;
const EDGES_MAX = 16;
const EXAMPLE =
  "write for example session=https://10.0.0.3:7001,catalog=https://10.0.0.4:7001 or *=https://10.0.0.3:7001";
const TEMPLATE_EXAMPLE = "write for example https://{service}:7000";

export function parsePeers(text: string): ReadonlyMap<string, readonly string[]> {
  const peers = new Map<string, readonly string[]>();
  const entries = text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  if (entries.length > PEERS_MAX)
    throw problem.invalid(`MARQUEE_PEERS names ${entries.length} services, more than ${PEERS_MAX}`);
  for (const entry of entries) {
    const [, name, addresses] = /^([a-z][a-z0-9-]{0,62}|\*)=(.+)$/.exec(entry) ?? [];
    if (!name || !addresses)
      throw problem.invalid(`'${entry.slice(0, 100)}' is no service with its address: ${EXAMPLE}`);
    if (peers.has(name))
      throw problem.invalid(`'${name}' stands there twice: write several addresses of one service with | between them`);
    const several = addresses.split("|");
    if (several.length > ADDRESSES_MAX)
      throw problem.invalid(
        `'${name}' has ${several.length} addresses, more than ${ADDRESSES_MAX}: use a name that leads to all`,
      );
    peers.set(name, several.map(toAddress));
  }
  return peers;
}

function toAddress(text: string): string {
  const origin = originOf(text);
  if (!origin?.startsWith("https:") || new URL(origin).port === "")
    throw problem.invalid(`'${text.slice(0, 100)}' is no address of a process with its port: ${EXAMPLE}`);
  return origin;
}

/** Scheme, host and port, where that is all; undefined otherwise. */
function originOf(text: string): string | undefined {
  const url = URL.parse(text);
  return url && url.origin === text.replace(/\/$/, "").toLowerCase() ? url.origin : undefined;
}

/** An address of HTTP without a path. */
export function parseOrigin(text: string): string {
  const origin = originOf(text);
  if (!origin || !/^https?:/.test(origin))
    throw problem.invalid(`'${text.slice(0, 100)}' is no address: write for example https://cinema.example.test`);
  return origin;
}

/** The delivery networks in the order of their preference, from `edge-a=https://a.example.test,edge-b=https://b.example.test`. */
export function parseEdges(text: string): { readonly id: string; readonly baseUrl: string }[] {
  const entries = text.split(",").map((entry) => entry.trim());
  if (entries.length > EDGES_MAX)
    throw problem.invalid(`${entries.length} delivery networks are more than ${EDGES_MAX}`);
  const edges = entries.map((entry) => {
    const [, id, address] = /^([a-z][a-z0-9-]{0,62})=(.+)$/.exec(entry) ?? [];
    if (!id || !address)
      throw problem.invalid(
        `'${entry.slice(0, 100)}' is no delivery network: write for example edge-a=https://a.example.test`,
      );
    return { id, baseUrl: parseOrigin(address) };
  });
  if (new Set(edges.map(({ id }) => id)).size < edges.length)
    throw problem.invalid("two delivery networks have one name");
  return edges;
}

/** Checks a template by what it makes of a name. */
export function parseTemplate(template: string): (service: string) => string {
  const parts = template.split("{service}");
  if (parts.length < 2)
    throw problem.invalid(`'${template.slice(0, 100)}' has no {service} in it: ${TEMPLATE_EXAMPLE}`);
  const of = (service: string): string => toAddress(parts.join(service));
  try {
    of("session");
  } catch (error) {
    throw problem.invalid(`'${template.slice(0, 100)}' makes no address of a name: ${TEMPLATE_EXAMPLE}`, {
      cause: error,
    });
  }
  return of;
}

export function openPeers(peers: string | undefined, template: string | undefined): Peers {
  const known = parsePeers(peers ?? "");
  const others = known.get("*");
  const made = template === undefined ? undefined : parseTemplate(template);
  return (service) => known.get(service) ?? others ?? (made ? [made(service)] : []);
}
