/** Namespaces and algorithm identifiers of CPIX, PSKC (RFC 6030), XML Encryption and XML Signature. */
export const NS = {
  cpix: "urn:dashif:org:cpix",
  pskc: "urn:ietf:params:xml:ns:keyprov:pskc",
  enc: "http://www.w3.org/2001/04/xmlenc#",
  ds: "http://www.w3.org/2000/09/xmldsig#",
} as const;

export const ALGORITHM = {
  aes256Cbc: "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
  rsaOaep: "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
  hmacSha512: "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512",
  rsaSha256: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
  rsaSha512: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
  sha256: "http://www.w3.org/2001/04/xmlenc#sha256",
  sha512: "http://www.w3.org/2001/04/xmlenc#sha512",
  c14n: "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
  exclusiveC14n: "http://www.w3.org/2001/10/xml-exc-c14n#",
  enveloped: "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
} as const;

/** The lists of a document, in the order of the schema. */
export const LISTS = [
  "DeliveryDataList",
  "ContentKeyList",
  "DRMSystemList",
  "ContentKeyPeriodList",
  "ContentKeyUsageRuleList",
  "UpdateHistoryItemList",
] as const;
export type ListName = (typeof LISTS)[number];
