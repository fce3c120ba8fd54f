// The contention scope in a pthread_attr_t. glibc keeps PTHREAD_SCOPE_PROCESS as a flag, which only
// it never lets a program set; that SYSTEM was asked for, not left at the default, takes a flag
// that it does not use. Both travel with copies of the attributes. Any thread may call.
#pragma once

#include <pthread.h>

#include "sched/task.h"

namespace green {

Scope ScopeOf(const pthread_attr_t* attr);
void SetScope(pthread_attr_t* attr, Scope scope);

}  // namespace green
