/** Somebody of the demo, and what they are there. */
export type Cast = readonly (readonly [role: string, person: { readonly phone: string; readonly name: string }])[];

/** What the terminal says once the demo is open; `url` is where the API answers. */
export function guide(kindergarten: string, cast: Cast, url: string): string {
  const people = cast.map(([role, { phone, name }]) => `  ${phone}  ${role.padEnd(28)}  ${name}`);
  return `
The demo is open: ${kindergarten}, staff of 12, 120 children in 6 groups. Sign in as

${people.join('\n')}

In ${url} run RequestSignInCode with a phone, then SignIn with the challengeId of its answer and the code that
appears here.
HOMEROOM_DEMO=0 starts without the demo; its people stay until you delete the data directory.

`;
}
