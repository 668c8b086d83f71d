# One proxy, for agents whose glibc is older than 2.28. In the directory of the archives:
#   docker build -f docker/proxy.Dockerfile -t nodemesh-proxy:@VERSION@ .
# The scheduler is then started with --proxy-image NAME; what it runs in it needs /bin/sh and this place.
#
# For the base, see scheduler.Dockerfile.
FROM redhat/ubi8-minimal
ADD nodemesh-proxy-@VERSION@-linux-x64.tar.gz /opt/nodemesh-proxy/
RUN ["/opt/nodemesh-proxy/bin/nodemesh-proxy", "--help"]
