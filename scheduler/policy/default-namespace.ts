/** The namespace that is there from the first start: every spelling of an app's name leads to `/marathonId/<app id>`. */

export const DEFAULT_NAMESPACE = 'default';

export const DEFAULT_NAMESPACE_DTAB = [
  '/marathonId => /#/io.l5d.marathon',
  '/marathonId/mesos/marathon => /marathonId | /#/io.nodemesh.mesos-dns',
  '/marathonId/directory/thisdcos/l4lb/marathon => /#/io.nodemesh.vip | /marathonId',
  '/svc => /$/io.buoyant.http.domainToPathPfx/marathonId',
].join(' ; ');
