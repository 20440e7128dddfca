import { Kind, parse } from 'graphql';
import { expect, test } from 'vitest';
import { operationDocuments } from '../src/graphql/graphiql.ts';
import { startTestApp } from './support/app.ts';
import { Graphiql } from './support/browser.ts';

test('a newcomer explores the API in the browser: signs in, asks who they are, and sees a join request arrive', async () => {
  await using app = await startTestApp();
  const school = await app.world.school('Детский сад «Рябинка»');
  const { administrator } = school;
  await using graphiql = await Graphiql.open(new URL('/', app.url).href);

  // Each document of schema/operations is a tab, under the name of its first operation, with variables to fill in.
  expect(await graphiql.tabs()).toEqual([...operationDocuments().values()].map(firstOperation));
  await expect.poll(() => graphiql.variables()).toMatch(/"phone": "\+79160000001"/);

  // Signing in gives the browser a session that no script can read.
  await graphiql.setVariables({ phone: administrator.phone });
  await graphiql.execute('RequestSignInCode');
  await expect.poll(() => graphiql.result()).toContain('"SignInCodeRequest"');
  const challengeId = /"challengeId": "([^"]+)"/.exec(await graphiql.result())?.[1] ?? '';
  await graphiql.setVariables({ challengeId, code: app.codeFor(administrator.phone) });
  await graphiql.execute('SignIn');
  await expect.poll(() => graphiql.result()).toContain('"SignInPayload"');
  expect(await graphiql.context.cookies()).toEqual(
    ['homeroom_device', 'homeroom_session'].map((name) =>
      expect.objectContaining({ name, httpOnly: true, sameSite: 'Strict' }),
    ),
  );
  expect(await graphiql.page.evaluate('document.cookie')).toBe('');

  await graphiql.execute('Viewer');
  await expect.poll(() => graphiql.result()).toContain('"displayName": "Sidorova Anna Ivanovna"');

  // A subscription prints what somebody else does while it is open.
  const { cursor } = (await administrator.run('Viewer')).viewer;
  await graphiql.selectTab('SubmitJoinRequest');
  await graphiql.setVariables({ organizationId: school.id, after: cursor });
  await graphiql.execute('JoinRequestSubmitted');
  const cook = await app.world.person();
  await cook.does('UpdateProfile', { input: { familyName: 'Смирнова', givenName: 'Ольга', patronymic: 'Петровна' } });
  await cook.does('SubmitJoinRequest', {
    input: { organizationId: school.id, role: 'EMPLOYEE', position: 'OTHER', note: 'Я ваш новый повар.' },
  });
  await expect.poll(() => graphiql.result()).toContain('"displayName": "Смирнова Ольга Петровна"');
  // The README's picture is taken so: HOMEROOM_SCREENSHOT=schema/graphiql.png npx vitest run test/graphiql.test.ts
  if (process.env.HOMEROOM_SCREENSHOT) await graphiql.page.screenshot({ path: process.env.HOMEROOM_SCREENSHOT });

  const { host } = new URL(app.url);
  expect(graphiql.requested.filter((address) => new URL(address.replace(/^blob:/, '')).host !== host)).toEqual([]);
  expect(graphiql.requested).toContain(`ws://${host}/graphql`);
  expect(graphiql.complaints).toEqual([]);
});

function firstOperation(text: string): string | undefined {
  for (const definition of parse(text).definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) return definition.name?.value;
  }
}
