/*
 * The vassal of the case "emperor": it says what every uWSGI says, answers a
 * reload, leaves when it is asked to, and needs next to nothing, so that what is
 * measured is the Emperor.
 *
 * It writes down in ../told, a line each, when the Emperor has heard that it
 * accepts, and when it was asked to reload:
 *
 *     accepts NAME SECONDS
 *     reloads NAME SECONDS
 *
 * SECONDS are those of CLOCK_MONOTONIC; NAME is its last argument.
 */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What an Emperor says, and what a vassal says. */
enum { STOP = 0, RELOAD = 1, STOP_GENTLY = 2 };
enum { READY = 1, ACCEPTING = 5, LOYAL = 17 };

static const char *name;

static void tell(const char *what)
{
    struct timespec now;
    char line[512];
    int length, told;

    clock_gettime(CLOCK_MONOTONIC, &now);
    length = snprintf(line, sizeof line, "%s %s %ld.%09ld\n", what, name,
                      (long)now.tv_sec, now.tv_nsec);
    told = open("../told", O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (told < 0 || write(told, line, length) != length)
        exit(1);
    close(told);
}

static void say(int emperor, char word)
{
    if (send(emperor, &word, 1, MSG_NOSIGNAL) != 1)
        exit(1);
}

/*
 * The kernel counts far more than a byte for each word that is not read yet.
 * With the smallest buffer there is room again when one of them is left.
 */
static void until_heard(int emperor)
{
    struct pollfd room = {.fd = emperor, .events = POLLOUT};

    poll(&room, 1, -1);
}

int main(int count, char **arguments)
{
    const char *number = getenv("UWSGI_EMPEROR_FD");
    int emperor, smallest = 1;
    char word;

    if (number == NULL || count < 2)
        return 1;
    emperor = atoi(number);
    name = arguments[count - 1];
    setsockopt(emperor, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof smallest);
    say(emperor, READY);
    say(emperor, ACCEPTING);
    say(emperor, LOYAL);
    until_heard(emperor);
    tell("accepts");
    while (recv(emperor, &word, 1, 0) == 1) {
        if (word == STOP || word == STOP_GENTLY)
            return 0;
        if (word == RELOAD) {
            tell("reloads");
            say(emperor, ACCEPTING);
        }
    }
    return 0;
}
