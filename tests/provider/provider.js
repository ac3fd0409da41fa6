// A certified OpenID provider on a free port, with its own pages for login and consent.
// Usage: node provider.js <client id> <client secret> <redirect URI> [<logout URI>]; prints its
// issuer. The logout URI is told where a sign-in ends.

import http from "node:http";

import Provider from "oidc-provider";

const [clientId, clientSecret, redirectUri, logoutUri] = process.argv.slice(2);
const server = http.createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri],
        ...(logoutUri && { backchannel_logout_uri: logoutUri }),
      },
    ],
    features: { backchannelLogout: { enabled: true } },
    cookies: { keys: ["of this run only"] },
    pkce: { required: () => true },
  });
  server.on("request", provider.callback());
  process.stdout.write(`${issuer}\n`);
});
