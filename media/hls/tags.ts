/** The tags that every kind of playlist writes alike (RFC 8216bis, section 4.2 and 4.4.4.4). */

import type { DrmSignalling } from "./drm.ts";

const WIDEVINE = "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed";

export function keyLines(
  tag: "#EXT-X-KEY" | "#EXT-X-SESSION-KEY",
  kid: string,
  ivHex: string,
  drm: DrmSignalling,
): string[] {
  const line = (uri: string, format: string, more: Record<string, string> = {}): string =>
    attributes(tag, {
      METHOD: "SAMPLE-AES",
      URI: quoted(uri),
      ...more,
      KEYFORMAT: quoted(format),
      KEYFORMATVERSIONS: '"1"',
    });
  const KEYID = `0x${kid}`;
  const IV = `0x${ivHex}`;
  const lines: string[] = [];
  if (drm.pssh.widevine !== undefined)
    lines.push(line(`data:text/plain;base64,${drm.pssh.widevine}`, WIDEVINE, { KEYID }));
  if (drm.pssh.playreadyPro !== undefined) {
    lines.push(
      line(`data:text/plain;charset=UTF-16;base64,${drm.pssh.playreadyPro}`, "com.microsoft.playready", { KEYID }),
    );
  }
  if (drm.fairplayUri !== undefined) lines.push(line(drm.fairplayUri, "com.apple.streamingkeydelivery", { IV }));
  if (drm.clearkeyLicenseUrl !== undefined) lines.push(line(drm.clearkeyLicenseUrl, "org.w3.clearkey", { KEYID }));
  if (drm.identityKeyUri !== undefined) lines.push(line(drm.identityKeyUri, "identity", { IV }));
  return lines;
}

export function attributes(tag: string, values: Readonly<Record<string, string | undefined>>): string {
  const list = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return `${tag}:${list.join(",")}`;
}

/** A quoted-string (section 4.2) cannot hold quotes or line ends, and has no escapes; a typographic quote is safe everywhere. */
export const quoted = (text: string): string =>
  `"${text
    .replace(/[\u0000-\u001f\u007f]+/g, " ")
    .replaceAll('"', "\u201d")
    .trim()}"`;
