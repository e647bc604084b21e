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
