// Randomness of the host (https://www.w3.org/TR/webcrypto), and node:crypto's hashes and HMAC.
import { native } from "capbox:native";
import { Buffer, bytesOf, encoded } from "capbox:buffer";
import { absent, coded } from "capbox:errors";
import { types } from "capbox:inspect";

export function getRandomValues(array) {
  if (!types.isTypedArray(array) || array instanceof Float32Array || array instanceof Float64Array) throw new DOMException("The data argument must be an integer-type TypedArray", "TypeMismatchError");
  if (array.byteLength > 65536) throw new DOMException(`The requested length exceeds 65,536 bytes`, "QuotaExceededError");
  native.fill(array);
  return array;
}

export function randomBytes(size, done) {
  const bytes = Buffer.alloc(size);
  native.fill(bytes);
  if (typeof done === "function") queueMicrotask(() => done(null, bytes));
  return bytes;
}

export function randomUUID() {
  const bytes = randomBytes(16);
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export function randomInt(low, high) {
  const [from, to] = high === undefined || typeof high === "function" ? [0, low] : [low, high];
  if (!(to > from)) throw coded(RangeError, "ERR_OUT_OF_RANGE", `The value of "max" is out of range. It must be greater than the value of "min" (${from}). Received ${to}`);
  return from + Number(randomBytes(8).readBigUInt64LE() % BigInt(to - from));
}

const rotl = (x, n) => (x << n) | (x >>> (32 - n));
const rotr = (x, n) => (x >>> n) | (x << (32 - n));

// The first bits of the fractional parts of roots of primes: what SHA-2's constants are (FIPS 180-4).
function roots(count, root, bits) {
  const found = [];
  for (let n = 2; found.length < count; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (!prime) continue;
    const scaled = BigInt(n) << BigInt(bits * root);
    let [low, high] = [0n, 1n << BigInt(bits + 6)];
    while (low < high) {
      const middle = (low + high + 1n) >> 1n;
      if (middle ** BigInt(root) <= scaled) low = middle;
      else high = middle - 1n;
    }
    found.push(BigInt.asUintN(bits, low));
  }
  return found;
}

const K64 = roots(80, 3, 64);
const K32 = Int32Array.from(K64.slice(0, 64), (k) => Number(BigInt.asIntN(32, k >> 32n)));
const START512 = roots(8, 2, 64);
const START256 = START512.map((h) => Number(BigInt.asIntN(32, h >> 32n)));
const START384 = roots(16, 2, 64).slice(8);
const START1 = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0].map((h) => h | 0);
const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0);
const TURNS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];

function md5(state, view, at) {
  let [a, b, c, d] = state;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    const f = round === 0 ? (b & c) | (~b & d) : round === 1 ? (d & b) | (~d & c) : round === 2 ? b ^ c ^ d : c ^ (b | ~d);
    const g = round === 0 ? i : round === 1 ? (5 * i + 1) & 15 : round === 2 ? (3 * i + 5) & 15 : (7 * i) & 15;
    const next = (b + rotl((a + f + SINES[i] + view.getInt32(at + 4 * g, true)) | 0, TURNS[4 * round + (i & 3)])) | 0;
    [a, d, c, b] = [d, c, b, next];
  }
  return [a, b, c, d].map((x, i) => (x + state[i]) | 0);
}

function sha1(state, view, at) {
  const w = new Int32Array(80);
  for (let i = 0; i < 80; i++) w[i] = i < 16 ? view.getInt32(at + 4 * i) : rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  let [a, b, c, d, e] = state;
  for (let i = 0; i < 80; i++) {
    const f = i < 20 ? ((b & c) | (~b & d)) + 0x5a827999 : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1 : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc : (b ^ c ^ d) + 0xca62c1d6;
    const next = (rotl(a, 5) + f + e + w[i]) | 0;
    e = d;
    d = c;
    c = rotl(b, 30);
    b = a;
    a = next;
  }
  return [a, b, c, d, e].map((x, i) => (x + state[i]) | 0);
}

function sha256(state, view, at) {
  const w = new Int32Array(64);
  for (let i = 0; i < 64; i++) {
    if (i < 16) {
      w[i] = view.getInt32(at + 4 * i);
      continue;
    }
    const s0 = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ (w[i - 15] >>> 3);
    const s1 = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ (w[i - 2] >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const t1 = (h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + K32[i] + w[i]) | 0;
    const t2 = ((rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  return [a, b, c, d, e, f, g, h].map((x, i) => (x + state[i]) | 0);
}

const wide = (x) => BigInt.asUintN(64, x);
const turned = (x, n) => wide((x >> n) | (x << (64n - n)));

function sha512(state, view, at) {
  const w = [];
  for (let i = 0; i < 80; i++) {
    if (i < 16) {
      w.push(view.getBigUint64(at + 8 * i));
      continue;
    }
    const s0 = turned(w[i - 15], 1n) ^ turned(w[i - 15], 8n) ^ (w[i - 15] >> 7n);
    const s1 = turned(w[i - 2], 19n) ^ turned(w[i - 2], 61n) ^ (w[i - 2] >> 6n);
    w.push(wide(w[i - 16] + s0 + w[i - 7] + s1));
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 80; i++) {
    const t1 = wide(h + (turned(e, 14n) ^ turned(e, 18n) ^ turned(e, 41n)) + ((e & f) ^ (wide(~e) & g)) + K64[i] + w[i]);
    const t2 = (turned(a, 28n) ^ turned(a, 34n) ^ turned(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, wide(d + t1), c, b, a, wide(t1 + t2)];
  }
  return [a, b, c, d, e, f, g, h].map((x, i) => wide(x + state[i]));
}

// [state, step, bytes of a block, bytes of the digest, little-endian]
const KINDS = {
  md5: [START1.slice(0, 4), md5, 64, 16, true],
  sha1: [START1, sha1, 64, 20, false],
  sha256: [START256, sha256, 64, 32, false],
  sha384: [START384, sha512, 128, 48, false],
  sha512: [START512, sha512, 128, 64, false],
};

function digest(kind, bytes) {
  const [start, step, block, size, little] = KINDS[kind];
  const padded = new Uint8Array(Math.ceil((bytes.length + 1 + block / 8) / block) * block);
  padded.set(bytes);
  padded[bytes.length] = 128;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, little ? BigInt(bytes.length) * 8n : BigInt(bytes.length) * 8n, little);
  let state = start;
  for (let at = 0; at < padded.length; at += block) state = step(state, view, at);
  const out = Buffer.alloc(64);
  const words = new DataView(out.buffer);
  state.forEach((word, i) => (typeof word === "bigint" ? words.setBigUint64(8 * i, word) : words.setInt32(4 * i, word, little)));
  return out.subarray(0, size);
}

function kindOf(name) {
  const kind = `${name}`.toLowerCase().replace("-", "");
  if (Object.hasOwn(KINDS, kind)) return kind;
  throw coded(Error, "ERR_CRYPTO_INVALID_DIGEST", `Digest ${name} does not exist here; there are ${Object.keys(KINDS).join(", ")}`);
}

class Hash {
  #kind;
  #parts = [];
  #key;
  #done = false;

  constructor(kind, key) {
    this.#kind = kindOf(kind);
    this.#key = key;
  }

  update(data, coding) {
    if (this.#done) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    this.#parts.push(typeof data === "string" ? encoded(data, coding) : Buffer.from(bytesOf(data)));
    return this;
  }

  digest(coding) {
    if (this.#done) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    this.#done = true;
    const bytes = Buffer.concat(this.#parts);
    const found = this.#key === undefined ? digest(this.#kind, bytes) : this.#keyed(bytes);
    return coding === undefined || coding === "buffer" ? found : found.toString(coding);
  }

  // https://www.rfc-editor.org/rfc/rfc2104
  #keyed(bytes) {
    const block = KINDS[this.#kind][2];
    const key = this.#key.length > block ? digest(this.#kind, this.#key) : this.#key;
    const [inner, outer] = [54, 92].map((mask) => Uint8Array.from({ length: block }, (_, i) => (key[i] ?? 0) ^ mask));
    return digest(this.#kind, Buffer.concat([outer, digest(this.#kind, Buffer.concat([inner, bytes]))]));
  }
}

export const createHash = (kind) => new Hash(kind);
export const createHmac = (kind, key) => new Hash(kind, typeof key === "string" ? encoded(key, "utf8") : bytesOf(key));

export function timingSafeEqual(a, b) {
  const [x, y] = [bytesOf(a), bytesOf(b)];
  if (x.length !== y.length) throw coded(RangeError, "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH", "Input buffers must have the same byte length");
  let different = 0;
  for (let i = 0; i < x.length; i++) different |= x[i] ^ y[i];
  return different === 0;
}

export const webcrypto = {
  getRandomValues,
  randomUUID,
  subtle: { digest: async (kind, data) => { const bytes = digest(kindOf(kind?.name ?? kind), bytesOf(data)); return bytes.buffer.slice(0, bytes.length); } },
};

export const crypto = {
  createHash, createHmac, randomBytes, randomUUID, randomInt, getRandomValues, timingSafeEqual, webcrypto, getHashes: () => Object.keys(KINDS),
  hash: (kind, data, coding = "hex") => createHash(kind).update(data).digest(coding),
};
for (const name of ["createCipheriv", "createDecipheriv", "createSign", "createVerify", "generateKeyPairSync", "pbkdf2Sync", "scryptSync"]) {
  crypto[name] = () => {
    throw absent(`crypto.${name}`, "there are hashes, HMAC and random bytes; bring other algorithms as JavaScript in a file of the workspace");
  };
}
