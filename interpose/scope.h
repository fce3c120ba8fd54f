// The contention scope in a pthread_attr_t. glibc keeps PTHREAD_SCOPE_PROCESS as a flag, which only
// it never lets a program set; that SYSTEM was asked for, not left at the default, takes a flag
// that it does not use. Both travel with copies of the attributes. Any thread may call.
//
// SYSTEM is heeded if the program has asked for PROCESS before. Linux has no other scope than
// SYSTEM, so programs that name it (CPython and MariaDB do, for all their threads) ask for what
// they would get anyway; who asks for PROCESS, which glibc refuses, tells the two apart. Until then
// every scope reads as SYSTEM, as natively.
#pragma once

#include <pthread.h>

#include "sched/task.h"

namespace green {

bool TellsScopesApart();
Scope ScopeOf(const pthread_attr_t* attr);
void SetScope(pthread_attr_t* attr, Scope scope);

}  // namespace green
