#include "load_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void usage(void) {
  fprintf(stderr,
          "usage: echo_load --port N [--connections N] [--size MIN[:MAX]] [--pid P[,P...]]\n"
          "                 [--warmup SECONDS] [--seconds SECONDS | --count REQUESTS]\n"
          "                 [--memcached | --http | --tunnel PORT] [--awake]\n");
  exit(2);
}

static void parse_pids(struct load_options* o, char* list) {
  for (char* pid = strtok(list, ","); pid; pid = strtok(NULL, ",")) {
    if (o->pids == kMaxPids || atoi(pid) <= 0) usage();
    o->pid[o->pids++] = (pid_t)atoi(pid);
  }
}

struct load_options parse_load_options(int argc, char** argv) {
  static const struct option options[] = {
      {"port", required_argument, 0, 'p'},    {"connections", required_argument, 0, 'c'},
      {"size", required_argument, 0, 's'},    {"warmup", required_argument, 0, 'w'},
      {"seconds", required_argument, 0, 'd'}, {"count", required_argument, 0, 'n'},
      {"pid", required_argument, 0, 'i'},     {"awake", no_argument, 0, 'a'},
      {"memcached", no_argument, 0, 'm'},     {"tunnel", required_argument, 0, 't'},
      {"http", no_argument, 0, 'h'},          {0, 0, 0, 0}};
  struct load_options o = {
      .connections = 64, .traffic = {kEcho, 64, 128}, .warmup = 0.5, .duration = 3};
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    switch (option) {
      case 'p': o.port = atoi(optarg); break;
      case 'c': o.connections = atoi(optarg); break;
      case 'w': o.warmup = atof(optarg); break;
      case 'd': o.duration = atof(optarg); break;
      case 'n': o.count = strtoull(optarg, NULL, 10); break;
      case 'i': parse_pids(&o, optarg); break;
      case 'a': o.awake = 1; break;
      case 'm': o.traffic.protocol = kMemcached; break;
      case 'h': o.traffic.protocol = kHttp; break;
      case 't': o.tunnel = atoi(optarg); break;
      case 's': {
        const char* colon = strchr(optarg, ':');
        o.traffic.smallest = strtoul(optarg, NULL, 10);
        o.traffic.largest = colon ? strtoul(colon + 1, NULL, 10) : o.traffic.smallest;
        break;
      }
      default: usage();
    }
  }
  if (optind != argc || o.port <= 0 || o.connections <= 0 || o.traffic.smallest == 0 ||
      o.traffic.largest < o.traffic.smallest || o.traffic.largest > kMaxPayload ||
      o.duration <= 0 || o.warmup < 0)
    usage();
  return o;
}
