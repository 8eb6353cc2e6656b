/* The commands of jobcode-train. argv[0] is the command's name. Each returns the exit status: 0 done, 1 failed, 2 not
 * called as its --help says, 3 a model that is worse was refused, 130 interrupted. */
#ifndef JC_TRAINER_COMMAND_H
#define JC_TRAINER_COMMAND_H

enum jc_exit { JC_EXIT_OK = 0, JC_EXIT_FAILURE = 1, JC_EXIT_USAGE = 2, JC_EXIT_WORSE = 3, JC_EXIT_INTERRUPTED = 130 };

int jc_command_fit(int argc, char **argv);
int jc_command_evaluate(int argc, char **argv);
int jc_command_compare(int argc, char **argv);
int jc_command_assemble(int argc, char **argv);

#endif
