/*
 * The least that any proxy in user space costs: `forwarder PORT ENDPOINTS-PER-SERVICE ADDRESSES`. It takes the number behind
 * "svc-" in a request for its service, draws an endpoint, and writes what it read to a kept connection there; what comes
 * back goes to the client. It parses nothing, limits nothing and counts nothing: of a connection it knows three whole numbers.
 * So how much more a request costs with 1,000 services than with one is what the kernel's cold sockets cost everybody.
 *
 * For the bench alone: it takes each read for one whole message, which holds for small ones over loopback.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 65536, MOST_ENDPOINTS = 16384, MOST_EVENTS = 1024, CLIENT = -1, NONE = -1 };

static struct sockaddr_in endpoints[MOST_ENDPOINTS];
/* The connection that was used last, of those that are idle, by endpoint. */
static int idle[MOST_ENDPOINTS];
/* By descriptor: its endpoint, or CLIENT; for whom a request is on its way; the idle one that was used before it. */
static int home[MOST_DESCRIPTORS], waiting[MOST_DESCRIPTORS], older[MOST_DESCRIPTORS];
static char bytes[65536];
static int poll_fd;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void watch(int fd, int its_home) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  const int on = 1;
  if (fd >= MOST_DESCRIPTORS) exit(1);
  home[fd] = its_home;
  waiting[fd] = NONE;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

static int read_endpoints(const char *file) {
  char address[64];
  int port, count = 0;
  FILE *in = fopen(file, "r");
  if (in == NULL) fail(file);
  while (count < MOST_ENDPOINTS && fscanf(in, "%63s %d", address, &port) == 2) {
    endpoints[count] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &endpoints[count].sin_addr);
    idle[count] = NONE;
    count += 1;
  }
  fclose(in);
  return count;
}

static int listen_on(int port) {
  const int on = 1;
  const struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1024) != 0) fail("listen");
  return fd;
}

static int connection_to(int endpoint) {
  int fd = idle[endpoint];
  if (fd != NONE) {
    idle[endpoint] = older[fd];
    return fd;
  }
  fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (const struct sockaddr *)&endpoints[endpoint], sizeof endpoints[endpoint]) != 0) fail("connect");
  fcntl(fd, F_SETFL, O_NONBLOCK);
  watch(fd, endpoint);
  return fd;
}

static void forward(int from, ssize_t length, int per_service, int count) {
  static unsigned draw = 1;
  const char *name = memmem(bytes, length, "svc-", 4);
  draw = draw * 1664525u + 1013904223u;
  const int endpoint = (name == NULL ? 0 : atoi(name + 4)) * per_service + (int)((draw >> 16) % per_service);
  const int upstream = connection_to(endpoint < count ? endpoint : 0);
  waiting[upstream] = from;
  if (write(upstream, bytes, length) != length) fail("write to an endpoint");
}

static void answer(int upstream, ssize_t length) {
  const int client = waiting[upstream];
  waiting[upstream] = NONE;
  older[upstream] = idle[home[upstream]];
  idle[home[upstream]] = upstream;
  /* A client that went away meanwhile is nobody's loss. */
  if (client != NONE && write(client, bytes, length) != length && errno != EBADF && errno != EPIPE && errno != ECONNRESET)
    fail("write to a client");
}

/* It is no longer among those that are idle, if it was. */
static void hung_up(int upstream) {
  int *at = &idle[home[upstream]];
  while (*at != NONE && *at != upstream) at = &older[*at];
  if (*at == upstream) *at = older[upstream];
  close(upstream);
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: forwarder PORT ENDPOINTS-PER-SERVICE ADDRESSES\n");
    return 2;
  }
  const int per_service = atoi(argv[2]), count = read_endpoints(argv[3]), entrance = listen_on(atoi(argv[1]));
  struct epoll_event events[MOST_EVENTS];
  signal(SIGPIPE, SIG_IGN);
  poll_fd = epoll_create1(0);
  watch(entrance, CLIENT);
  for (;;) {
    const int ready = epoll_wait(poll_fd, events, MOST_EVENTS, -1);
    for (int index = 0; index < ready; index += 1) {
      const int fd = events[index].data.fd;
      if (fd == entrance) {
        const int client = accept4(entrance, NULL, NULL, SOCK_NONBLOCK);
        if (client >= 0) watch(client, CLIENT);
        continue;
      }
      const ssize_t length = read(fd, bytes, sizeof bytes);
      if (length > 0 && home[fd] == CLIENT) forward(fd, length, per_service, count);
      else if (length > 0) answer(fd, length);
      else if (length == 0 || errno != EAGAIN) {
        if (home[fd] == CLIENT) close(fd);
        else hung_up(fd);
      }
    }
  }
}
