// libgreen.py as gdb's auto-load section has it, so that libgreen.so brings its own commands:
// byte 4 (Python text), a name, the text. "Debugging with GDB", section .debug_gdb_scripts. Not
// loaded at run time (no "a"); R: kept, as nothing refers to it.
        .section .note.GNU-stack, "", @progbits

        .section .debug_gdb_scripts, "MSR", @progbits, 1
        .byte   4
        .ascii  "gdb.inlined-script.libgreen\n"
        // The text and a 0 follow (BUILD).
