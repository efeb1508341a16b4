/* serve_tools.c: starts and asks `heed serve`; HEED names the program. */
#include "serve_tools.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_MOST = 512 };

void served_flow(served *s, const char *flow) {
    char path[PATH_MOST];
    snprintf(path, sizeof path, "%s/flow.yaml", s->dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (; *flow; flow++)
        if (*flow == '@')
            fputs(HEED_SOURCE_DIR, f);
        else
            fputc(*flow, f);
    fclose(f);
}

void served_make(served *s, const char *flow) {
    *s = (served){ .dir = "/tmp/heed_serve_XXXXXX", .out = -1 };
    assert_non_null(mkdtemp(s->dir));
    served_flow(s, flow);
}

static void run_program(const served *s, int out) {
    char flow[PATH_MOST];
    const char *heed = getenv("HEED");
    snprintf(flow, sizeof flow, "%s/flow.yaml", s->dir);
    if (s->file_most) {
        const struct rlimit limit = { (rlim_t)s->file_most, RLIM_INFINITY };
        setrlimit(RLIMIT_FSIZE, &limit);
        signal(SIGXFSZ, SIG_IGN);
    }
    dup2(out, 1);
    if (!getenv("SERVED_LOUD")) dup2(open("/dev/null", O_WRONLY), 2);
    execl(heed ? heed : "build/heed", "heed", "serve", flow, "--listen", "127.0.0.1:0",
          (char *)NULL);
    _exit(127);
}

/* "... at http://127.0.0.1:PORT" */
static int read_port(served *s) {
    char line[512] = "";
    for (size_t len = 0; len + 1 < sizeof line && !strchr(line, '\n');) {
        const ssize_t n = read(s->out, line + len, sizeof line - 1 - len);
        if (n <= 0) break;
        len += (size_t)n;
    }
    const char *colon = strrchr(line, ':');
    return colon ? atoi(colon + 1) : 0;
}

void served_start(served *s) {
    int out[2];
    assert_int_equal(pipe(out), 0);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) run_program(s, out[1]);
    close(out[1]);
    s->out = out[0];
    s->port = read_port(s);
    if (!s->port) fail_msg("heed serve did not start (SERVED_LOUD=1 shows why)");
    while (served_ask(s, "GET", "/ready", NULL, NULL) != 200) usleep(5000);
}

static int end(served *s) {
    int status = 0;
    while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR) continue;
    close(s->out);
    s->pid = 0;
    return status;
}

void served_kill(served *s, int number) {
    kill(s->pid, number);
    end(s);
}

int served_stop(served *s) {
    kill(s->pid, SIGTERM);
    const int status = end(s);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void served_remove(served *s) {
    if (s->pid) served_kill(s, SIGKILL);
    DIR *dir = opendir(s->dir);
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
        char path[PATH_MOST];
        snprintf(path, sizeof path, "%s/%s", s->dir, e->d_name);
        if (e->d_name[0] != '.') unlink(path);
    }
    if (dir) closedir(dir);
    rmdir(s->dir);
}

/* -- asking ----------------------------------------------------------------------------------- */

static int connect_to(const served *s) {
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)s->port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

static bool send_all(int fd, const char *data, size_t size) {
    for (size_t at = 0; at < size;) {
        const ssize_t n = send(fd, data + at, size - at, MSG_NOSIGNAL);
        if (n <= 0) return false;
        at += (size_t)n;
    }
    return true;
}

/* All that comes until the other side closes, or has said `until` (NULL: whatever it says). */
static char *read_all(int fd, const char *until) {
    size_t len = 0, cap = 65536;
    char *text = malloc(cap);
    for (text[0] = 0; !until || !strstr(text, until); text[len] = 0) {
        if (len + 1 == cap) text = realloc(text, cap *= 2);
        const ssize_t n = read(fd, text + len, cap - 1 - len);
        if (n <= 0) break;
        len += (size_t)n;
    }
    return text;
}

static int request(const served *s, const char *method, const char *path, const char *body) {
    char head[2048];
    const int fd = connect_to(s);
    if (fd < 0) return -1;
    snprintf(head, sizeof head,
             "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n%s%s%zu\r\n\r\n", method,
             path, s->port, body ? "Content-Type: application/json\r\n" : "",
             "Content-Length: ", body ? strlen(body) : 0);
    if (send_all(fd, head, strlen(head)) && (!body || send_all(fd, body, strlen(body)))) return fd;
    close(fd);
    return -1;
}

int served_ask(const served *s, const char *method, const char *path, const char *body,
               json_t **tree) {
    if (tree) *tree = NULL;
    const int fd = request(s, method, path, body);
    if (fd < 0) return 0;
    char *text = read_all(fd, NULL), *start = strstr(text, "\r\n\r\n");
    close(fd);
    const int status = strncmp(text, "HTTP/1.1 ", 9) == 0 ? atoi(text + 9) : 0;
    if (tree && start) *tree = json_loads(start + 4, JSON_DECODE_ANY, NULL);
    free(text);
    return start ? status : 0;
}

static json_t *must(const served *s, const char *method, const char *path, const char *body) {
    json_t *tree;
    const int status = served_ask(s, method, path, body, &tree);
    if (status < 200 || status > 299) {
        char *text = tree ? json_dumps(tree, 0) : NULL;
        fail_msg("%s %s: %d %s", method, path, status, text ? text : "");
    }
    assert_non_null(tree);
    return tree;
}

json_t *served_get(const served *s, const char *path) {
    return must(s, "GET", path, NULL);
}

json_t *served_post(const served *s, const char *path, const char *body) {
    return must(s, "POST", path, body);
}

int served_listen(const served *s, const char *path) {
    const int fd = request(s, "GET", path, NULL);
    assert_true(fd >= 0);
    return fd;
}

char *served_hear(int fd, const char *until) {
    char *text = read_all(fd, until);
    if (!strstr(text, until)) fail_msg("no %s in: %s", until, text);
    return text;
}

void served_decided(const served *s, json_int_t seq) {
    for (bool done = false; !done; usleep(5000)) {
        json_t *tree = served_get(s, "/v1/system");
        done = int_at(json_object_get(tree, "store"), "decided") >= seq;
        json_decref(tree);
    }
}

json_int_t int_at(const json_t *tree, const char *name) {
    const json_t *value = json_object_get(tree, name);
    if (!json_is_integer(value)) fail_msg("%s is no whole number", name);
    return json_integer_value(value);
}

const char *text_at(const json_t *tree, const char *name) {
    const json_t *value = json_object_get(tree, name);
    if (!json_is_string(value)) fail_msg("%s is no text", name);
    return json_string_value(value);
}

double real_at(const json_t *tree, const char *name) {
    const json_t *value = json_object_get(tree, name);
    if (!json_is_number(value)) fail_msg("%s is no number", name);
    return json_number_value(value);
}
