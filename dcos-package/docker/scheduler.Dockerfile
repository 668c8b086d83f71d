# The scheduler, its dashboard and the command line, for hosts whose glibc is older than 2.28. In the directory of the archives:
#   docker build -f docker/scheduler.Dockerfile -t nodemesh-scheduler:@VERSION@ .
#
# UBI 8 has glibc 2.28: as old as the Node.js in the archive can do with. Newer ones begin their threads with clone3, which
# the seccomp profile of an old Docker Engine answers with EPERM.
FROM redhat/ubi8-minimal
ADD nodemesh-scheduler-@VERSION@-linux-x64.tar.gz /opt/
# Whatever the archive has as its version is run once: an image that could not start is none.
RUN ["/opt/nodemesh-scheduler/bin/nodemesh", "--version"]
ENV PATH=/opt/nodemesh-scheduler/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER 65534:65534
ENTRYPOINT ["/opt/nodemesh-scheduler/bin/nodemesh"]
CMD ["scheduler", "--help"]
