import './graphql/scalars.ts';
import './graphql/errors.ts';
import './accounts/graphql.ts';
import './files/graphql.ts';
import './organizations/graphql.ts';
import './memberships/graphql.ts';
import './verifications/graphql.ts';
import './administrators/graphql.ts';
import './groups/graphql.ts';
import './channels/graphql.ts';
import './chats/graphql.ts';
import './children/graphql.ts';
import './movements/graphql.ts';
import './guardians/graphql.ts';
import './assignments/graphql.ts';
import './enrollments/graphql.ts';
import './due-movements/graphql.ts';
import './join-requests/graphql.ts';
import './invites/graphql.ts';
import './redemptions/graphql.ts';
import './departures/graphql.ts';
import './structure/graphql.ts';
import './materials/graphql.ts';
import './rosters/graphql.ts';
import './invite-sheets/graphql.ts';
import './academic-years/graphql.ts';
import './applications/graphql.ts';
import './oversight/graphql.ts';
import { builder } from './graphql/builder.ts';
import { nameEventKinds } from './graphql/live.ts';

nameEventKinds();

/** The whole API: every domain's types and fields on one builder. */
export const schema = builder.toSchema({ sortSchema: true });
