import type { Viewer } from '../viewer.ts';
import type { Application } from './tables.ts';

/** Sees an application: who made it, and the operators. */
export const canSeeApplication = (viewer: Viewer, application: Pick<Application, 'applicantId'>): boolean =>
  application.applicantId === viewer.userId || viewer.isOperator;

/** Reads the queue of applications. */
export const canListApplications = (viewer: Viewer): boolean => viewer.isOperator;

/** Decides on an application (§2.1.2); nobody on their own. */
export const canDecideApplication = (viewer: Viewer, application: Pick<Application, 'applicantId'>): boolean =>
  viewer.isOperator && application.applicantId !== viewer.userId;
