/** The protection data of one content key, as manifests carry it. Nothing in here is secret. */
export interface DrmSignalling {
  readonly pssh: {
    /** Base64 of whole `pssh` boxes. */
    readonly widevine?: string;
    readonly playready?: string;
    /** The W3C common system (1077efec-…), version 1; best with every key id of the title, so that one request asks for all. */
    readonly common?: string;
    /** Base64 of the PlayReady Object (little endian, with its header), which is what HLS and `mspr:pro` carry. */
    readonly playreadyPro?: string;
  };
  /** `skd://…` */
  readonly fairplayUri?: string;
  readonly fairplayCertificateUrl?: string;
  /** A W3C Clear Key license server (POST `{"kids": […], "type": "temporary"}`). */
  readonly clearkeyLicenseUrl?: string;
  /**
   * Where the bare 16 bytes of the key can be fetched (RFC 8216, section 5.1). Off unless given: a player that meets
   * KEYFORMAT identity fetches this while it loads, and gives the whole title up where that fails.
   */
  readonly identityKeyUri?: string;
}

/** By key id, as the presentation writes it: 32 lower-case hexadecimal digits. */
export type DrmByKid = ReadonlyMap<string, DrmSignalling>;

interface KeySignals {
  readonly kid: string;
  readonly psshWidevine: Uint8Array;
  readonly psshPlayready: Uint8Array;
  readonly playreadyObject: Uint8Array;
  readonly fairplayUri: string;
}

/** What manifests say of a package's keys. Licence addresses carry marks that the edge fills in; an empty one is a system that is off. */
export function drmOf(
  signals: { readonly keys: readonly KeySignals[]; readonly psshCommon: Uint8Array },
  licenses: { readonly clearkey: string; readonly fairplayCertificate: string },
): DrmByKid {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  const common = base64(signals.psshCommon);
  return new Map(
    signals.keys.map((key): [string, DrmSignalling] => [
      key.kid,
      {
        pssh: {
          common,
          widevine: base64(key.psshWidevine),
          playready: base64(key.psshPlayready),
          playreadyPro: base64(key.playreadyObject),
        },
        fairplayUri: key.fairplayUri,
        ...(licenses.fairplayCertificate === "" ? {} : { fairplayCertificateUrl: licenses.fairplayCertificate }),
        ...(licenses.clearkey === "" ? {} : { clearkeyLicenseUrl: licenses.clearkey }),
      },
    ]),
  );
}
