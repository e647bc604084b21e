/** What MPDs of films and of channels write alike. */

import type { DrmSignalling } from "#media/hls";
import type { Xml } from "./xml.ts";

export const ROLE = "urn:mpeg:dash:role:2011";
const SYSTEMS = {
  widevine: "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",
  playready: "urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95",
  fairplay: "urn:uuid:94ce86fb-07ff-4f43-adb8-93d2fa968ca2",
  clearkey: "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e",
} as const;

/** The protection of one key: what every player reads, and what each system adds. */
export function writeProtection(xml: Xml, kid: string, signalling: DrmSignalling): void {
  xml.leaf("ContentProtection", {
    schemeIdUri: "urn:mpeg:dash:mp4protection:2011",
    value: "cbcs",
    "cenc:default_KID": uuid(kid),
  });
  for (const system of systems(signalling)) {
    xml.open("ContentProtection", { schemeIdUri: system.uri, value: system.value });
    for (const [name, text] of system.children) if (text !== undefined) xml.leaf(name, {}, text);
    xml.close("ContentProtection");
  }
}

interface System {
  readonly uri: string;
  readonly value: string;
  readonly children: readonly (readonly [name: string, text: string | undefined])[];
}

function systems(drm: DrmSignalling): System[] {
  const { pssh } = drm;
  const out: System[] = [];
  if (drm.clearkeyLicenseUrl !== undefined) {
    // DASH-IF IOP 4.3, section 7.6.2.4. Shaka makes a `pssh` from default_KID where none is given.
    const children = [
      ["cenc:pssh", pssh.common],
      ["dashif:Laurl", drm.clearkeyLicenseUrl],
    ] as const;
    out.push({ uri: SYSTEMS.clearkey, value: "ClearKey1.0", children });
  }
  if (pssh.widevine !== undefined) {
    out.push({ uri: SYSTEMS.widevine, value: "Widevine", children: [["cenc:pssh", pssh.widevine]] });
  }
  if (pssh.playready !== undefined || pssh.playreadyPro !== undefined) {
    const children = [
      ["cenc:pssh", pssh.playready],
      ["mspr:pro", pssh.playreadyPro],
    ] as const;
    out.push({ uri: SYSTEMS.playready, value: "MSPR 2.0", children });
  }
  if (drm.fairplayUri !== undefined) {
    out.push({ uri: SYSTEMS.fairplay, value: "FairPlay", children: [["dashif:Certurl", drm.fairplayCertificateUrl]] });
  }
  return out;
}

const uuid = (kid: string): string => kid.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
export const positive = (value: number): number => Math.max(1, Math.ceil(value));
export const duration = (valueS: number): string => `PT${Number(valueS.toFixed(6))}S`;

/** ISO/IEC 23091-3, table 10: the usual layout of so many channels. */
export function channelConfiguration(channels: number): number {
  if (channels === 7) return 11;
  if (channels === 8) return 12;
  return channels >= 1 && channels <= 6 ? channels : 0;
}

/** `avc1` and `avc3` are one family, as are `hvc1` and `hev1`: their rungs switch without a new decoder. */
export function family(codec: string): string {
  const fourcc = codec.split(".")[0] ?? "";
  if (/^avc[13]$/.test(fourcc)) return "avc";
  return /^(?:hvc1|hev1|dvh1|dvhe)$/.test(fourcc) ? "hevc" : fourcc;
}

export function folder(profile: string): string {
  // The profile becomes a Representation id and, through $RepresentationID$, a folder: neither may hold more than this.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(profile))
    throw new RangeError(`profile '${profile}' is no folder name`);
  return profile;
}
