/** Data to CPIX elements, in the order of the schema. */
import type { ContentKey, CpixDocument, DeliveryData, DrmSystem, UsageRule } from "./model.ts";
import { ALGORITHM, type ListName, NS } from "./names.ts";
import { escapeXml } from "#media/xml";

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  let start = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) start += ` ${key}="${escapeXml(String(value))}"`;
  }
  const inner = content.join("");
  return inner === "" ? `${start}/>` : `${start}>${inner}</${name}>`;
}

const text = (name: string, value: string | undefined): string =>
  value === undefined ? "" : element(name, {}, escapeXml(value));
const bytes = (name: string, value: Uint8Array | undefined): string =>
  value === undefined ? "" : element(name, {}, Buffer.from(value).toString("base64"));
const base64Text = (name: string, value: string | undefined, attributes: Attributes = {}): string =>
  value === undefined ? "" : element(name, attributes, Buffer.from(value, "utf8").toString("base64"));

/** The content of an xenc:EncryptedDataType. */
function encrypted(algorithm: string, cipherValue: Uint8Array): string {
  return (
    element("enc:EncryptionMethod", { Algorithm: algorithm }) +
    element("enc:CipherData", {}, bytes("enc:CipherValue", cipherValue))
  );
}

const secret = (content: string): string => element("Data", {}, element("pskc:Secret", {}, content));

function writeContentKey({ kid, id, value, explicitIv, dependsOnKey, commonEncryptionScheme }: ContentKey): string {
  const data =
    value === undefined
      ? ""
      : value.kind === "clear"
        ? secret(bytes("pskc:PlainValue", value.bytes))
        : secret(
            element("pskc:EncryptedValue", {}, encrypted(ALGORITHM.aes256Cbc, value.cipherValue)) +
              bytes("pskc:ValueMAC", value.mac),
          );
  const explicitIV = explicitIv === undefined ? undefined : Buffer.from(explicitIv).toString("base64");
  return element("ContentKey", { id, kid, explicitIV, dependsOnKey, commonEncryptionScheme }, data);
}

function writeDeliveryData(data: DeliveryData): string {
  return element(
    "DeliveryData",
    { id: data.id, name: data.name },
    element("DeliveryKey", {}, element("ds:X509Data", {}, bytes("ds:X509Certificate", data.certificate))),
    element(
      "DocumentKey",
      { Algorithm: ALGORITHM.aes256Cbc },
      secret(element("pskc:EncryptedValue", {}, encrypted(ALGORITHM.rsaOaep, data.documentKey))),
    ),
    data.macKey === undefined
      ? ""
      : element(
          "MACMethod",
          { Algorithm: ALGORITHM.hmacSha512 },
          element("Key", {}, encrypted(ALGORITHM.rsaOaep, data.macKey)),
        ),
    text("Description", data.description),
    text("SendingEntity", data.sendingEntity),
    text("SenderPointOfContact", data.senderPointOfContact),
    text("ReceivingEntity", data.receivingEntity),
  );
}

function writeDrmSystem(system: DrmSystem): string {
  return element(
    "DRMSystem",
    { id: system.id, systemId: system.systemId, kid: system.kid, name: system.name },
    bytes("PSSH", system.pssh),
    base64Text("ContentProtectionData", system.contentProtectionData),
    base64Text("URIExtXKey", system.uriExtXKey),
    base64Text("HLSSignalingData", system.hlsSignalingData?.master, { playlist: "master" }),
    base64Text("HLSSignalingData", system.hlsSignalingData?.media, { playlist: "media" }),
    text("SmoothStreamingProtectionHeaderData", system.smoothStreamingProtectionHeaderData),
    base64Text("HDSSignalingData", system.hdsSignalingData),
  );
}

function writeUsageRule(rule: UsageRule): string {
  return element(
    "ContentKeyUsageRule",
    { id: rule.id, kid: rule.kid, intendedTrackType: rule.intendedTrackType },
    ...(rule.periodIds ?? []).map((periodId) => element("KeyPeriodFilter", { periodId })),
    ...(rule.labels ?? []).map((label) => element("LabelFilter", { label })),
    ...(rule.video ?? []).map((filter) => element("VideoFilter", { ...filter })),
    ...(rule.audio ?? []).map((filter) => element("AudioFilter", { ...filter })),
    ...(rule.bitrate ?? []).map((filter) => element("BitrateFilter", { ...filter })),
  );
}

/** The document without signatures. `listIds` gives lists the identifiers that signatures refer to. */
export function writeDocument(document: CpixDocument, listIds: Readonly<Partial<Record<ListName, string>>>): string {
  const list = (name: ListName, items: readonly string[]): string =>
    items.length === 0 && listIds[name] === undefined ? "" : element(name, { id: listIds[name] }, ...items);
  const root = element(
    "CPIX",
    {
      xmlns: NS.cpix,
      "xmlns:ds": NS.ds,
      "xmlns:enc": NS.enc,
      "xmlns:pskc": NS.pskc,
      id: document.id,
      contentId: document.contentId,
      name: document.name,
      version: document.version,
    },
    list("DeliveryDataList", document.deliveryData.map(writeDeliveryData)),
    list("ContentKeyList", document.contentKeys.map(writeContentKey)),
    list("DRMSystemList", document.drmSystems.map(writeDrmSystem)),
    list(
      "ContentKeyPeriodList",
      document.periods.map((period) => element("ContentKeyPeriod", { ...period })),
    ),
    list("ContentKeyUsageRuleList", document.usageRules.map(writeUsageRule)),
    list(
      "UpdateHistoryItemList",
      document.updateHistory.map((item) => element("UpdateHistoryItem", { ...item })),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}`;
}
