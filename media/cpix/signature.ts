/**
 * XML signatures of CPIX documents (XML Signature 1.0): each covers the whole document (URI="", enveloped) or one list
 * (URI="#id"). What a signature may look like is narrowed before xml-crypto verifies it, so that a signature can cover
 * nothing else than what the reader reads: one reference, an element that stands where CPIX has it, known transforms.
 */
import type { KeyObject, X509Certificate } from "node:crypto";
import { type Document, type Element, XMLSerializer } from "@xmldom/xmldom";
import { SignedXml } from "xml-crypto";
import { FormatError } from "#media/format";
import { strongCertificate } from "./encryption.ts";
import { ALGORITHM, LISTS, type ListName, NS } from "./names.ts";
import { rootOf } from "./read.ts";
import { childrenOf, isElement } from "#media/xml";

export type SignatureTarget = "document" | ListName;

export interface VerifiedSignature {
  readonly target: SignatureTarget;
  /** The signer's certificate, as it stands in the document. Whether to trust it is the reader's question. */
  readonly certificate: X509Certificate;
}

export interface Signer {
  readonly privateKey: KeyObject;
  /** X.509, DER; it is put into the signature. */
  readonly certificate: Uint8Array;
  readonly target: SignatureTarget;
  readonly hash?: "sha256" | "sha512";
}

const SIGNATURES_MAX = 64;
const SIGNATURE_METHODS: readonly string[] = [ALGORITHM.rsaSha256, ALGORITHM.rsaSha512];
const DIGEST_METHODS: readonly string[] = [ALGORITHM.sha256, ALGORITHM.sha512];
const CANONICALIZATIONS: readonly string[] = [ALGORITHM.c14n, ALGORITHM.exclusiveC14n];

function fail(message: string): never {
  throw new FormatError("cpix", message);
}

function only(parent: Element, name: string): Element {
  const [first, second] = childrenOf(parent, NS.ds, name);
  if (first === undefined || second !== undefined) return fail(`a signature has not exactly one <${name}>`);
  return first;
}

function algorithmOf(parent: Element, name: string, allowed: readonly string[]): void {
  const algorithm = only(parent, name).getAttribute("Algorithm");
  if (algorithm === null || !allowed.includes(algorithm))
    fail(`the ${name} ${algorithm} of a signature is not supported`);
}

/** Every element that carries an identifier in any of the spellings that xml-crypto looks for. */
function elementsWithId(root: Element, id: string): Element[] {
  const found: Element[] = [];
  const visit = (element: Element): void => {
    if (["id", "Id", "ID"].some((name) => element.getAttribute(name) === id)) found.push(element);
    for (let node = element.firstChild; node !== null; node = node.nextSibling) if (isElement(node)) visit(node);
  };
  visit(root);
  return found;
}

function targetOf(root: Element, reference: Element): SignatureTarget {
  if (!reference.hasAttribute("URI")) return fail("a signature's reference has no URI");
  const uri = reference.getAttribute("URI") ?? "";
  const isEnveloped = transformsOf(reference).includes(ALGORITHM.enveloped);
  if (uri === "") return isEnveloped ? "document" : fail("a signature of the document is not enveloped");
  if (!/^#[A-Za-z_][A-Za-z0-9_.-]*$/u.test(uri)) return fail(`a signature refers to "${uri.slice(0, 60)}"`);
  const [element, second] = elementsWithId(root, uri.slice(1));
  if (element === undefined || second !== undefined)
    return fail(`a signature refers to ${uri}, which is not one element`);
  if (element === root) return isEnveloped ? "document" : fail("a signature of the document is not enveloped");
  const list = LISTS.find((name) => name === element.localName);
  if (list === undefined || element.namespaceURI !== NS.cpix || element.parentNode !== root) {
    return fail(`a signature refers to <${element.localName}>, which is neither the document nor one of its lists`);
  }
  return list;
}

function transformsOf(reference: Element): readonly string[] {
  const [transforms] = childrenOf(reference, NS.ds, "Transforms");
  if (transforms === undefined) return [];
  return childrenOf(transforms, NS.ds, "Transform").map((transform) => {
    const algorithm = transform.getAttribute("Algorithm") ?? "";
    const isKnown = algorithm === ALGORITHM.enveloped || CANONICALIZATIONS.includes(algorithm);
    return isKnown ? algorithm : fail(`the transform ${algorithm} of a signature is not supported`);
  });
}

function certificateOf(signature: Element): X509Certificate {
  const [certificate] = childrenOf(only(only(signature, "KeyInfo"), "X509Data"), NS.ds, "X509Certificate");
  const text = certificate?.textContent?.replace(/\s/gu, "") ?? "";
  if (!/^[A-Za-z0-9+/]+={0,2}$/u.test(text)) return fail("a signature has no certificate");
  return strongCertificate(new Uint8Array(Buffer.from(text, "base64")));
}

/**
 * Verifies every signature of a document and says what each covers. Throws FormatError when one is wrong, weak or of
 * an unknown form; a signature that stands elsewhere than under the root is of an unknown form too.
 */
export function verifySignatures(xml: string, document: Document): readonly VerifiedSignature[] {
  const root = rootOf(document);
  const signatures = childrenOf(root, NS.ds, "Signature");
  if (document.getElementsByTagNameNS(NS.ds, "Signature").length !== signatures.length) {
    return fail("a signature stands inside of another element");
  }
  if (signatures.length > SIGNATURES_MAX) return fail(`more than ${SIGNATURES_MAX} signatures`);
  return signatures.map((signature) => {
    const info = only(signature, "SignedInfo");
    algorithmOf(info, "CanonicalizationMethod", CANONICALIZATIONS);
    algorithmOf(info, "SignatureMethod", SIGNATURE_METHODS);
    const reference = only(info, "Reference");
    algorithmOf(reference, "DigestMethod", DIGEST_METHODS);
    const target = targetOf(root, reference);
    const certificate = certificateOf(signature);
    if (!isVerified(xml, signature, certificate)) fail(`the signature of the ${target} is wrong`);
    return { target, certificate };
  });
}

function isVerified(xml: string, signature: Element, certificate: X509Certificate): boolean {
  const verifier = new SignedXml({ publicCert: certificate.toString() });
  try {
    verifier.loadSignature(new XMLSerializer().serializeToString(signature));
    return verifier.checkSignature(xml);
  } catch {
    // xml-crypto throws for a wrong signature value and returns false for a wrong digest.
    return false;
  }
}

/** Adds signatures. Those of the document come last, because they cover the others. */
export function signDocument(xml: string, signers: readonly Signer[]): string {
  const ordered = [...signers].sort((a, b) => Number(a.target === "document") - Number(b.target === "document"));
  if (ordered.filter((signer) => signer.target === "document").length > 1) {
    return fail(
      "a document can be signed as a whole once, as another signature would change what the first one covers",
    );
  }
  return ordered.reduce(signOnce, xml);
}

function signOnce(xml: string, { privateKey, certificate, target, hash = "sha512" }: Signer): string {
  const x509 = strongCertificate(certificate);
  if (!x509.checkPrivateKey(privateKey)) fail("a signer's certificate is not of its private key");
  const isWhole = target === "document";
  const signer = new SignedXml({
    privateKey,
    publicCert: x509.toString(),
    canonicalizationAlgorithm: ALGORITHM.c14n,
    signatureAlgorithm: hash === "sha512" ? ALGORITHM.rsaSha512 : ALGORITHM.rsaSha256,
  });
  signer.addReference({
    xpath: isWhole ? "/*" : `/*/*[local-name(.)='${target}']`,
    transforms: isWhole ? [ALGORITHM.enveloped, ALGORITHM.c14n] : [ALGORITHM.c14n],
    digestAlgorithm: hash === "sha512" ? ALGORITHM.sha512 : ALGORITHM.sha256,
    isEmptyUri: isWhole,
  });
  signer.computeSignature(xml, { location: { reference: "/*", action: "append" } });
  return signer.getSignedXml();
}
