import { problem } from "#kernel/errors";

export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly hosts: readonly string[];
  /** The brand's one colour, `#rrggbb`. */
  readonly accent: string;
}

/** The colour of a brand that chose none: the warm light of a projector. */
export const ACCENT_DEFAULT = "#e8a33d";
export const HOSTS_MAX = 20;
const NAME_LENGTH_MAX = 60;
const ACCENT = /^#[0-9a-f]{6}$/;
const HOST =
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$|^\[[0-9a-f:.]{2,45}\]$/;
const CONTROL = /\p{Cc}/u;

/** A Host header as tenants name it: lower case, without port and without the root's dot. */
export const normalizeHost = (host: string): string =>
  host
    .trim()
    .toLowerCase()
    .replace(/:\d{1,5}$/, "")
    .replace(/\.$/, "");

/** A tenant as it may be stored; `invalid_argument` names what is wrong. */
export function checkTenant(given: Tenant): Tenant {
  const name = given.name.trim();
  if (name.length === 0 || name.length > NAME_LENGTH_MAX || CONTROL.test(name))
    throw problem.invalid(`a tenant's name has 1 to ${NAME_LENGTH_MAX} printable characters`);
  const accent = given.accent.toLowerCase() || ACCENT_DEFAULT;
  if (!ACCENT.test(accent)) throw problem.invalid(`accent '${accent.slice(0, 20)}' is not of the form #rrggbb`);
  const hosts = [...new Set(given.hosts.map(normalizeHost))].sort();
  if (hosts.length > HOSTS_MAX) throw problem.invalid(`${hosts.length} hosts are more than ${HOSTS_MAX}`);
  for (const host of hosts)
    if (!HOST.test(host)) throw problem.invalid(`'${host.slice(0, 80)}' is not a host name without a port`);
  return { id: given.id, name, hosts, accent };
}
