import { type CpixDocument, EMPTY_CPIX, writeCpix } from "#media/cpix";
import { playReadyObject, playReadyPssh, SYSTEM_IDS, widevinePssh } from "#media/pssh";
import { type ContentKey, fairplayUri, PIXEL_RANGES } from "./domain.ts";

/** A key set as a CPIX 2.3 document: keys, DRM signalling, and usage rules that say which key protects which picture size. */
export function cpixOf(contentId: string, keys: readonly ContentKey[]): string {
  const document: CpixDocument = {
    ...EMPTY_CPIX,
    contentId,
    contentKeys: keys.map(({ kid, key, iv }) => ({
      kid: uuid(kid),
      value: { kind: "clear", bytes: key },
      explicitIv: iv,
      commonEncryptionScheme: "cbcs",
    })),
    drmSystems: keys.flatMap(({ kid }) => systemsOf(contentId, kid)),
    usageRules: keys.map(({ kid, keyClass }) =>
      keyClass === "AUDIO"
        ? { kid: uuid(kid), intendedTrackType: "AUDIO", audio: [{}] }
        : { kid: uuid(kid), intendedTrackType: keyClass, video: [PIXEL_RANGES[keyClass]] },
    ),
  };
  return writeCpix(document);
}

function systemsOf(contentId: string, kid: string): CpixDocument["drmSystems"] {
  const widevine = widevinePssh({ kids: [kid], contentId: new TextEncoder().encode(contentId), provider: "marquee" });
  const playready = playReadyPssh({ kids: [kid] });
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  return [
    {
      systemId: uuid(SYSTEM_IDS.widevine),
      kid: uuid(kid),
      pssh: widevine,
      contentProtectionData: `<cenc:pssh xmlns:cenc="urn:mpeg:cenc:2013">${base64(widevine)}</cenc:pssh>`,
    },
    {
      systemId: uuid(SYSTEM_IDS.playready),
      kid: uuid(kid),
      pssh: playready,
      contentProtectionData: `<mspr:pro xmlns:mspr="urn:microsoft:playready">${base64(playReadyObject({ kids: [kid] }))}</mspr:pro>`,
    },
    {
      systemId: FAIRPLAY_SYSTEM_ID,
      kid: uuid(kid),
      hlsSignalingData: {
        media: `#EXT-X-KEY:METHOD=SAMPLE-AES,URI="${fairplayUri(kid)}",KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"`,
      },
    },
  ];
}

const FAIRPLAY_SYSTEM_ID = "94ce86fb-07ff-4f43-adb8-93d2fa968ca2";

/** Key and system ids with hyphens, as CPIX writes them. */
const uuid = (id: string): string => {
  const hex = id.replaceAll("-", "");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
};
