import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import { domainToASCII } from "node:url";
import { isLoopback, problem } from "#kernel";
import { type Identity, makeAuthority, makeServer } from "#kernel/x509";
import { isCode } from "../admin/socket.ts";
import type { Cli, ExitCode } from "./cli.ts";

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
/** Apple's systems refuse server certificates that live longer, also those of one's own authority. */
const SERVER_DAYS = 820;
/** Clocks of other devices may be a little behind. */
const BACKDATED_MS = DAY_MS;
const RENEW_AUTHORITY_DAYS = 400;
const HOSTS_MAX = 100;

/** Where `marquee cert` puts what it makes, below MARQUEE_DATA. */
export function certificateFiles(dataFolder: string) {
  const at = (name: string): string => join(dataFolder, "tls", name);
  return {
    authority: at("ca.crt"),
    authorityKey: at("ca.key"),
    certificate: at("server.crt"),
    key: at("server.key"),
  } as const;
}

/** `marquee cert`: an authority is made once and kept, so that it has to be trusted once; the server's certificate is new each time. */
export async function makeCertificate(
  cli: Cli,
  words: readonly string[],
  options: { readonly json: boolean },
): Promise<ExitCode> {
  const named = words.map(toHost);
  const hosts = [
    ...new Set([
      ...(named.length > 0 ? named : hostsOfThisMachine(cli.config.MARQUEE_HOST)),
      "localhost",
      "127.0.0.1",
      "::1",
    ]),
  ];
  if (hosts.length > HOSTS_MAX) throw problem.invalid(`${hosts.length} names are more than ${HOSTS_MAX}`);
  const files = certificateFiles(cli.dataFolder);
  await mkdir(join(cli.dataFolder, "tls"), { recursive: true, mode: 0o700 });
  await chmod(join(cli.dataFolder, "tls"), 0o700);
  const nowMs = Date.now();
  const known = await readAuthority(files);
  const authority = known ?? (await newAuthority(files, nowMs));
  const server = makeServer(hosts, authority, { fromMs: nowMs - BACKDATED_MS, untilMs: nowMs + SERVER_DAYS * DAY_MS });
  // The key first: a certificate without its key would be refused, a key without its certificate is not looked at.
  await writeWhole(files.key, pemOf(server), 0o600);
  await writeWhole(files.certificate, server.certificatePem + authority.certificatePem, 0o644);
  const validUntil = new Date(nowMs + SERVER_DAYS * DAY_MS).toISOString().slice(0, 10);
  if (options.json) {
    cli.terminal.out(JSON.stringify({ ...files, hosts, validUntil, isAuthorityNew: !known }));
    return 0;
  }
  const { out } = cli.terminal;
  out(`certificate  ${files.certificate}`);
  out(`  for        ${hosts.join(", ")}`);
  out(`  until      ${validUntil}`);
  out(`authority    ${files.authority}${known ? " (the one from before)" : ""}`);
  out("");
  out(
    known
      ? "Devices that trust the authority already trust this certificate."
      : "Let this system trust the authority, once:",
  );
  if (!known) for (const line of trustSteps(process.platform, files.authority)) out(`  ${line}`);
  out("Other devices: copy ca.crt there and install it as a trusted authority. Keep ca.key to yourself.");
  out("");
  const host = hosts.find((candidate) => !isLoopback(candidate)) ?? "localhost";
  out(`Then: MARQUEE_HOST=${host} MARQUEE_DEMO=0 npm start`);
  return 0;
}

/** A host name (also with a star in front, also with letters beyond ASCII) or an IP address. */
export function toHost(text: string): string {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (isIP(bare) !== 0) return bare;
  const [star, rest] = bare.startsWith("*.") ? ["*.", bare.slice(2)] : ["", bare];
  const ascii = domainToASCII(rest);
  if (!/^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/.test(ascii)) {
    throw problem.invalid(
      `'${text}' is not a host name or an address: write for example cinema.example.test or 192.168.1.20, without https:// and port`,
    );
  }
  return star + ascii;
}

/** How this machine may be reached in its network: its name and its addresses. */
function hostsOfThisMachine(configured: string): string[] {
  const name = hostname().toLowerCase();
  const names = /^[a-z0-9.-]{1,253}$/.test(name) ? [name, ...(name.includes(".") ? [] : [`${name}.local`])] : [];
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? [])
      .filter(({ internal, address }) => !internal && !address.startsWith("fe80:"))
      .map(({ address }) => address),
  );
  const first = isLoopback(configured) || configured === "0.0.0.0" ? [] : [toHost(configured)];
  return [...first, ...names, ...addresses].slice(0, HOSTS_MAX - 3);
}

type Files = ReturnType<typeof certificateFiles>;

/** The authority from before; undefined where there is none, or where it ends too soon for a new certificate. */
async function readAuthority(files: Files): Promise<Identity | undefined> {
  try {
    const [certificatePem, key] = await Promise.all([
      readFile(files.authority, "utf8"),
      readFile(files.authorityKey, "utf8"),
    ]);
    const parsed = new X509Certificate(certificatePem);
    const isUsable = Date.parse(parsed.validTo) > Date.now() + RENEW_AUTHORITY_DAYS * DAY_MS;
    const identity = { certificatePem, key: createPrivateKey(key) };
    return isUsable && parsed.ca && parsed.checkPrivateKey(identity.key) ? identity : undefined;
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw problem.precondition(
      `'${files.authority}' and '${files.authorityKey}' cannot be used: move them away and run the command again`,
      { cause: error },
    );
  }
}

async function newAuthority(files: Files, nowMs: number): Promise<Identity> {
  const day = new Date(nowMs).toISOString().slice(0, 10);
  const name = `Marquee on ${hostname()
    .replace(/[^\w.-]/g, "")
    .slice(0, 40)} (${day})`;
  const authority = makeAuthority(name, { fromMs: nowMs - BACKDATED_MS, untilMs: nowMs + AUTHORITY_DAYS * DAY_MS });
  await writeWhole(files.authorityKey, pemOf(authority), 0o600);
  await writeWhole(files.authority, authority.certificatePem, 0o644);
  return authority;
}

const pemOf = ({ key }: Identity): string => String(key.export({ type: "pkcs8", format: "pem" }));

async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const unfinished = `${file}.${process.pid}.part`;
  await writeFile(unfinished, text, { mode });
  await rename(unfinished, file);
}

/** What a person types so that this system's browsers believe the authority. */
export function trustSteps(platform: string, authority: string): string[] {
  const file = `'${authority.replaceAll("'", "'\\''")}'`;
  if (platform === "darwin")
    return [`sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${file}`];
  if (platform === "win32") return [`certutil -addstore -f Root "${authority}"      (in a terminal as administrator)`];
  return [
    `Debian, Ubuntu:   sudo cp ${file} /usr/local/share/ca-certificates/marquee.crt && sudo update-ca-certificates`,
    `Fedora, Arch:     sudo trust anchor ${file}`,
    `Chrome, Chromium: certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n Marquee -i ${file}   (from libnss3-tools)`,
    "Firefox:          Settings, Certificates, View Certificates, Authorities, Import",
  ];
}
