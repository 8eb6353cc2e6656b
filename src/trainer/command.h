/* The commands of jobcode-train. argv[0] is the command's name. Each returns the exit status: 0 done, 1 failed, 2 not
 * called as its --help says. */
#ifndef JC_TRAINER_COMMAND_H
#define JC_TRAINER_COMMAND_H

enum jc_exit { JC_EXIT_OK = 0, JC_EXIT_FAILURE = 1, JC_EXIT_USAGE = 2 };

int jc_command_import_encoder(int argc, char **argv);
int jc_command_fit(int argc, char **argv);
int jc_command_evaluate(int argc, char **argv);
int jc_command_assemble(int argc, char **argv);

#endif
