/** Ids of Mesos, branded, so that none is taken for another. */
import { z } from 'zod';

/** An agent, for as long as it keeps its registration (`<master id>-S<n>`). */
export type AgentId = string & z.$brand<'AgentId'>;
/** A task; unique for ever within a framework. */
export type TaskId = string & z.$brand<'TaskId'>;
/** One offer; dead after ACCEPT, DECLINE, RESCIND or the end of the stream. */
export type OfferId = string & z.$brand<'OfferId'>;
/** A framework, kept across failovers (`<master id>-<nnnn>`). */
export type FrameworkId = string & z.$brand<'FrameworkId'>;

const agentIdText = z.string().min(1).brand<'AgentId'>();
const taskIdText = z.string().min(1).brand<'TaskId'>();
const offerIdText = z.string().min(1).brand<'OfferId'>();
const frameworkIdText = z.string().min(1).brand<'FrameworkId'>();

export const agentId = (text: string): AgentId => agentIdText.parse(text);
export const taskId = (text: string): TaskId => taskIdText.parse(text);
export const offerId = (text: string): OfferId => offerIdText.parse(text);
export const frameworkId = (text: string): FrameworkId => frameworkIdText.parse(text);

export const agentIdValue = z.object({ value: agentIdText });
export const taskIdValue = z.object({ value: taskIdText });
export const offerIdValue = z.object({ value: offerIdText });
export const frameworkIdValue = z.object({ value: frameworkIdText });
export const textValue = z.object({ value: z.string() });
