// What issuers call a leeway, an overlap or a reuse interval: a refresh token that was used serves again for a while, so
// that a reply which got lost costs nobody the sign-in. Only the one just before the newest does; any other that comes
// back is a replay, upon which `oidc-provider` ends the whole grant by itself.

/** Gives every refresh token of the provider so much time after its first use. */
export function giveGrace(provider, milliseconds) {
  const { RefreshToken } = provider;
  const { find } = RefreshToken;
  const { consume } = RefreshToken.prototype;
  const used = new Map();
  const newestUsed = new Map();
  const rotation = (token) => token.rotations ?? 0;
  const serves = (token) =>
    performance.now() - used.get(token.jti) < milliseconds && newestUsed.get(token.grantId) === rotation(token);

  RefreshToken.prototype.consume = function consumeAndNote() {
    used.set(this.jti, used.get(this.jti) ?? performance.now());
    newestUsed.set(this.grantId, Math.max(newestUsed.get(this.grantId) ?? 0, rotation(this)));
    return consume.call(this);
  };
  RefreshToken.find = async function findWithGrace(...asked) {
    const token = await find.apply(this, asked);
    if (token?.consumed && serves(token)) token.consumed = undefined;
    return token;
  };
}
