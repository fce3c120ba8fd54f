// Many threads, each with a connection of its own to a MariaDB or MySQL server, and
// each with the ordinary blocking client: connect, query, fetch. It knows nothing of
// libgreen.
//
//   mysql-fanout PORT [THREADS [QUERIES]]     on 127.0.0.1, 1,000 threads of 20 queries
//
// All threads connect, wait for each other, and then query the table fanout.item;
// every answer is checked. It prints how long both took and the queries per second.

#include <mysql.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kItems = 10000 };

static unsigned port;
static long threads = 1000, queries = 20;
static pthread_barrier_t connected;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(MYSQL* server, const char* what) {
  fprintf(stderr, "mysql-fanout: %s: %s\n", what, mysql_error(server));
  exit(1);
}

static void query(MYSQL* server, long id) {
  char text[96], name[32];
  snprintf(text, sizeof text, "SELECT name FROM fanout.item WHERE id = %ld", id);
  snprintf(name, sizeof name, "item %ld", id);
  if (mysql_query(server, text) != 0) die(server, "query");
  MYSQL_RES* result = mysql_store_result(server);
  if (!result) die(server, "result");
  MYSQL_ROW row = mysql_fetch_row(result);
  if (!row || strcmp(row[0], name) != 0) die(server, "a wrong answer");
  mysql_free_result(result);
}

static void* fan_out(void* arg) {
  unsigned seed = (unsigned)(size_t)arg;
  mysql_thread_init();
  MYSQL* server = mysql_init(NULL);
  if (!mysql_real_connect(server, "127.0.0.1", "fanout", "", NULL, port, NULL, 0))
    die(server, "connect");
  pthread_barrier_wait(&connected);
  for (long i = 0; i < queries; i++) {
    seed = seed * 1664525u + 1013904223u;
    query(server, 1 + (long)(seed >> 8) % kItems);
  }
  mysql_close(server);
  mysql_thread_end();
  return NULL;
}

int main(int argc, char** argv) {
  if (argc > 1) port = (unsigned)atoi(argv[1]);
  if (argc > 2) threads = atol(argv[2]);
  if (argc > 3) queries = atol(argv[3]);
  if (port == 0 || threads <= 0 || queries <= 0) {
    fprintf(stderr, "usage: mysql-fanout PORT [THREADS [QUERIES]]\n");
    return 2;
  }
  mysql_library_init(0, NULL, NULL);
  pthread_barrier_init(&connected, NULL, (unsigned)threads + 1);
  pthread_t* thread = malloc((size_t)threads * sizeof *thread);
  double begin = now();
  for (long i = 0; thread && i < threads; i++) {
    int error = pthread_create(&thread[i], NULL, fan_out, (void*)(size_t)i);
    if (error != 0) {
      fprintf(stderr, "mysql-fanout: pthread_create: %s\n", strerror(error));
      return 1;
    }
  }
  pthread_barrier_wait(&connected);
  double middle = now();
  for (long i = 0; i < threads; i++) pthread_join(thread[i], NULL);
  double end = now();
  printf("threads=%ld connect_s=%.3f query_s=%.3f queries_per_s=%.0f\n", threads, middle - begin,
         end - middle, (double)(threads * queries) / (end - middle));
  free(thread);
  mysql_library_end();
  return 0;
}
