import { playReadyObject, playReadyPssh, commonPssh, widevinePssh } from "#media/pssh";
import type { KeyClass } from "#media/presentation";

export const KEY_CLASSES: readonly KeyClass[] = ["AUDIO", "SD", "HD", "UHD"];

/** One content key. The secrets port keeps it; nothing else may. */
export interface ContentKey {
  /** 32 lower-case hexadecimal digits. */
  readonly kid: string;
  readonly keyClass: KeyClass;
  readonly key: Uint8Array;
  /** The constant initialisation vector of cbcs, no secret. */
  readonly iv: Uint8Array;
}

/** The picture sizes that each class protects: the usage rules of our CPIX documents, in pixels (CPIX 2.3, VideoFilter). */
export const PIXEL_RANGES: Readonly<
  Record<Exclude<KeyClass, "AUDIO">, { readonly minPixels?: number; readonly maxPixels?: number }>
> = {
  SD: { maxPixels: 1_024 * 576 },
  HD: { minPixels: 1_024 * 576 + 1, maxPixels: 1_920 * 1_088 },
  UHD: { minPixels: 1_920 * 1_088 + 1 },
};

/** Where a key set lives in the secrets port. */
export const secretName = (tenant: string, contentId: string, packageRevision: number): string =>
  `${secretPrefix(tenant, contentId)}r${String(packageRevision).padStart(6, "0")}`;
export const secretPrefix = (tenant: string, contentId: string): string => `keys/${tenant}/${contentId}/`;

/** FairPlay asks by an address that names the key (HLS authoring: skd://). */
export const fairplayUri = (kid: string): string => `skd://${kid}`;

/** What manifests and init segments say about a key set. It holds no secret. */
export function signallingOf(keys: readonly ContentKey[], contentId: string) {
  return {
    psshCommon: commonPssh(keys.map(({ kid }) => kid)),
    keys: keys.map(({ kid, keyClass, iv }) => ({
      kid,
      keyClass,
      iv,
      psshWidevine: widevinePssh({ kids: [kid], contentId: new TextEncoder().encode(contentId), provider: "marquee" }),
      psshPlayready: playReadyPssh({ kids: [kid] }),
      playreadyObject: playReadyObject({ kids: [kid] }),
      fairplayUri: fairplayUri(kid),
    })),
  };
}
