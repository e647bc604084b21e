import type { KeyClass } from "#media/presentation";

export type DrmSystem = "clearkey" | "widevine" | "playready" | "fairplay";
export type SecurityLevel = "hardware" | "software";

/** ARCH-001 section 5, "DRM Per-Platform": how well each kind of device protects keys at best. */
const LEVELS: ReadonlyMap<string, SecurityLevel> = new Map(
  Object.entries({
    android_tv: "hardware",
    apple_tv: "hardware",
    tizen: "hardware",
    webos: "hardware",
    stb: "hardware",
    ios: "hardware",
    android: "software",
    cast: "hardware",
    web: "software",
  } as const),
);

/** ClearKey hands keys to the page, so it is software whatever the device could do. */
export function securityLevelOf(deviceType: string, system: DrmSystem): SecurityLevel {
  return system === "clearkey" ? "software" : (LEVELS.get(deviceType) ?? "software");
}

/** The classes of keys that a licence may carry. Software protection ends at HD in browsers and at SD on phones. */
export function allowedClasses(deviceType: string, level: SecurityLevel): ReadonlySet<KeyClass> {
  if (level === "hardware") return new Set(["AUDIO", "SD", "HD", "UHD"]);
  return new Set(deviceType === "android" ? ["AUDIO", "SD"] : ["AUDIO", "SD", "HD"]);
}

const KIDS_MAX = 32;

/**
 * The key ids that a W3C ClearKey licence request asks for (EME, section 9.1.3), as hexadecimal; null when it is none. An empty list
 * asks for every key that the session may have: a page that plays HLS hands keys to its player before any is asked for.
 */
export function requestedKids(body: string): readonly string[] | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return null;
  }
  const kids = (parsed as { kids?: unknown } | null)?.kids;
  if (!Array.isArray(kids) || kids.length > KIDS_MAX) return null;
  const hex = kids.map((kid) =>
    typeof kid === "string" && /^[A-Za-z0-9_-]{22}$/.test(kid) ? Buffer.from(kid, "base64url").toString("hex") : "",
  );
  return hex.includes("") ? null : hex;
}

/** A W3C ClearKey licence: JSON Web Keys with the key ids that were asked for. */
export function clearKeyLicense(keys: readonly { readonly kid: string; readonly key: Uint8Array }[]): string {
  return JSON.stringify({
    keys: keys.map(({ kid, key }) => ({
      kty: "oct",
      kid: Buffer.from(kid, "hex").toString("base64url"),
      k: Buffer.from(key).toString("base64url"),
    })),
    type: "temporary",
  });
}
